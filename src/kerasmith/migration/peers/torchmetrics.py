"""Metrics of torchmetrics 1.9."""

from collections.abc import Mapping

from kerasmith.migration.call import Argument, Call
from kerasmith.migration.line import Line
from kerasmith.migration.rules import both, choice, drop, lost, note, sets, to

_LAYOUT = (
    "torchmetrics is called as metric(preds, target) with classes on axis 1; ours is given to `compile(metrics=[...])`, or "
    "update_state(y_true, y_pred), with classes on the last axis."
)
_SCORES = "torchmetrics takes values outside of 0..1 for logits by itself; here `from_logits=True` says so."
_COMMON = {
    "ignore_index": to("ignore_class", None),
    "validate_args": drop,
    "multidim_average": lost("global", 'the number of all data; `metrics.DiceScore` and `IoU` have `per="image"`.'),
    "threshold": to("threshold", 0.5),
    "top_k": to("top_k", 1),
}
_TAIL = "ignore_index=None, validate_args=True"
_GLOBAL = "multidim_average='global', " + _TAIL
_BINARY, _MULTI, _LABELS = "Binary", "Multiclass", "Multilabel"
_SIZES = {_BINARY: "2", _MULTI: "num_classes", _LABELS: "num_labels"}


def _size(kind: str):
    """The rules and the parameters that say how many classes there are."""
    if kind == _BINARY:
        return {}, "threshold=0.5"
    if kind == _MULTI:
        return {"num_classes": to("")}, "num_classes, {top_k}average='macro'"
    return {
        "num_labels": both(to(""), lambda line, _: line.write("multi_label", "True"))
    }, "num_labels, threshold=0.5, average='macro'"


def _average(quantity: str):
    def rule(line: Line, argument: Argument) -> None:
        value = argument.text.strip("'\"")
        if value in ("micro", "weighted"):
            line.write("average", repr(value))
        elif value in ("None", "none"):
            line.column = f"confusion_matrix_{quantity}_0"
            line.notes.append(f"One column for each class, `confusion_matrix_{quantity}_0` and so on.")

    return rule


def _counts(
    name: str, quantity: str, kinds=(_BINARY, _MULTI, _LABELS), before="", tail=_GLOBAL, top_k="top_k=1, ", zero=False
):
    """Rows of a metric that a confusion matrix has among its quantities."""
    for kind in kinds:
        rules, parameters = _size(kind)
        parameters = parameters.format(top_k=top_k)

        def finish(line: Line, arguments: Mapping[str, Argument], kind=kind) -> None:
            if kind == _BINARY:
                line.write("", "2")
            line.write("report", f"('{quantity}',)")
            line.write("absent", "'zero'" if kind == _BINARY else "'skip_both'")
            if quantity == "fbeta":
                line.write("beta", arguments["beta"].text)

        # The second key of a dict that has one for each class is that of the foreground.
        column = f"confusion_matrix_{quantity}" + ("_1" if kind == _BINARY else "")
        yield Call(
            f"torchmetrics.classification.{kind}{name}",
            f"{before}{parameters}, {tail}{', zero_division=0' if zero else ''}",
            "metrics.ConfusionMatrix",
            {
                **_COMMON,
                **rules,
                "beta": drop,
                "average": _average(quantity),
                "zero_division": lost(0, '0 / 0 is 0, or NaN with `absent="skip"`.'),
            },
            (_LAYOUT, _SCORES),
            column=column,
            finish=finish,
        )


def _accuracy(line: Line, arguments: Mapping[str, Argument]) -> None:
    if arguments["average"].text.strip("'\"") == "micro":
        line.write("report", "()")
        line.column = "confusion_matrix_accuracy"
    else:
        line.write("report", "('recall',)")
        line.write("absent", "'skip_both'")
        _average("recall")(line, arguments["average"])


def _one(name: str, parameters: str, ours: str, rules, kinds, column=None, notes=(), finish=None):
    """Rows of one metric of ours for several kinds of labels."""
    sizes = {
        _BINARY: ("", {}),
        _MULTI: ("num_classes, ", {"num_classes": drop}),
        _LABELS: ("num_labels, ", {"num_labels": lambda line, _: line.write("multi_label", "True")}),
    }

    def finish(line: Line, arguments: Mapping[str, Argument]) -> None:
        if column is not None and "average" in arguments:
            average = arguments["average"].text.strip("'\"")
            line.column = f"{column}_{average if average in ('micro', 'weighted') else 'macro'}"

    for kind in kinds:
        more, rule = sizes[kind]
        yield Call(
            f"torchmetrics.classification.{kind}{name}",
            more + parameters.format(average="average='macro', " if kind != _BINARY else ""),
            ours,
            {**_COMMON, **rule, **rules},
            (_LAYOUT, _SCORES, *notes),
            finish=finish,
        )


_CURVE = {
    "max_fpr": lost(None, "the whole area."),
    "thresholds": lost(None, "scores are not rounded to thresholds."),
    "average": choice("average", {"macro": None, "weighted": "weighted", "micro": "micro", "none": None, None: None}),
    "normalization": drop,
}
_DECIDED = {"threshold": to("threshold", 0.5)}
_NORM = {
    "n_bins": to("bins", 15),
    "norm": lambda line, argument: setattr(
        line,
        "column",
        {"l1": "calibration_ece", "l2": "calibration_rmsce", "max": "calibration_mce"}[argument.text.strip("'\"")],
    ),
}


def _class_count(kind):
    return {"weights": to("weighting", None), **({"num_classes": to("")} if kind == _MULTI else {})}


def _agreement(name: str, ours: str, weights: bool):
    for kind in (_BINARY, _MULTI):
        middle = ", weights=None" if weights else ""
        parameters = {
            _BINARY: f"threshold=0.5, ignore_index=None{middle}, validate_args=True",
            _MULTI: f"num_classes, ignore_index=None{middle}, validate_args=True",
        }[kind]
        yield Call(
            f"torchmetrics.classification.{kind}{name}",
            parameters,
            ours,
            {**_COMMON, **_class_count(kind)},
            (_LAYOUT, _SCORES),
            finish=(lambda line, _: line.write("", "2")) if kind == _BINARY else None,
        )


_QUERY = {
    "empty_target_action": both(
        choice("absent", {"neg": "zero", "skip": None}),
        note("pos", "A query without a relevant candidate is 0 or left out here, not 1."),
    ),
    "ignore_index": lost(None, "candidates of relevance below 0 are no candidates."),
    "top_k": to("k", None),
    "aggregation": lost("mean", "the mean over queries."),
    "adaptive_k": lost(False, "k is the divisor, for queries with fewer candidates too."),
}
_QUERY_LAYOUT = (
    "torchmetrics takes preds, target and indexes; ours y_true (B, 2), the id of the query and the "
    "relevance, and y_pred (B, 1), "
    "the score. `capacity` bounds how many."
)


def _retrieval(name: str, ours: str, column: str, more: str = "top_k=None, ", **rules) -> Call:
    def finish(line: Line, arguments: Mapping[str, Argument]) -> None:
        k = arguments.get("top_k")
        if k is not None and k.text != "None":
            line.column = f"{column}_{k.text}"

    return Call(
        f"torchmetrics.retrieval.{name}",
        f"empty_target_action='neg', ignore_index=None, {more}aggregation='mean'",
        ours,
        {**_QUERY, **rules},
        (_QUERY_LAYOUT,),
        column=column,
        finish=finish,
    )


_SEGMENTS = {
    "num_classes": to("num_classes"),
    "include_background": to("include_background", True),
    "input_format": sets("index", predictions="ids"),
    "per_class": sets(True, average=None),
}
_ZERO = (
    'A class absent from an image and from its prediction is left out there and scores 1 here, unless `absent="skip_both"`.'
)
_IMAGE = {
    "data_range": to("max_val", 1.0),
    "sigma": to("sigma", 1.5),
    "k1": to("k1", 0.01),
    "k2": to("k2", 0.03),
    "gaussian_kernel": lost(True, "the window is Gaussian."),
    "kernel_size": note(None, ""),
    "reduction": lost("elementwise_mean", "the mean over images."),
    "return_full_image": lost(False, "one number for each image."),
    "return_contrast_sensitivity": lost(False, "one number for each image."),
}

CALLS = (
    *_counts("F1Score", "f1", zero=True),
    *_counts("FBetaScore", "fbeta", before="beta, ", zero=True),
    *_counts("Precision", "precision"),
    *_counts("Recall", "recall"),
    *_counts("Specificity", "specificity"),
    *_counts("JaccardIndex", "iou", tail=_TAIL, top_k="", zero=True),
    Call(
        "torchmetrics.classification.BinaryAccuracy",
        "threshold=0.5, " + _GLOBAL,
        "metrics.ConfusionMatrix",
        {
            **_COMMON,
            "threshold": both(
                lambda line, _: line.write("", "2"), lambda line, _: line.write("report", "()"), to("threshold", 0.5)
            ),
        },
        (_LAYOUT, _SCORES),
        column="confusion_matrix_accuracy",
    ),
    Call(
        "torchmetrics.classification.MulticlassAccuracy",
        "num_classes, top_k=1, average='macro', " + _GLOBAL,
        "metrics.ConfusionMatrix",
        {**_COMMON, "num_classes": to(""), "average": drop},
        (_LAYOUT, _SCORES, "The macro accuracy of torchmetrics is the mean recall of the classes."),
        column="confusion_matrix_recall",
        finish=_accuracy,
    ),
    *_agreement("CohenKappa", "metrics.CohenKappa", weights=True),
    *_agreement("MatthewsCorrCoef", "metrics.MCC", weights=False),
    *_one("AUROC", "{average}max_fpr=None, thresholds=None, " + _TAIL, "metrics.AUC", _CURVE, (_BINARY,)),
    *_one("AUROC", "{average}thresholds=None, " + _TAIL, "metrics.AUC", _CURVE, (_MULTI, _LABELS), "auc"),
    *_one(
        "AveragePrecision",
        "{average}thresholds=None, " + _TAIL,
        "metrics.AveragePrecision",
        _CURVE,
        (_MULTI, _LABELS),
        "average_precision",
    ),
    *_one(
        "AveragePrecision",
        "thresholds=None, ignore_index=None, validate_args=True, normalization='sigmoid'",
        "metrics.AveragePrecision",
        _CURVE,
        (_BINARY,),
    ),
    *_one(
        "CalibrationError",
        "n_bins=15, norm='l1', " + _TAIL,
        "metrics.CalibrationError",
        _NORM,
        (_BINARY, _MULTI),
        notes=("A confidence of exactly 1 has a bin of its own there.",),
    ),
    *(
        Call(
            f"torchmetrics.classification.{kind}ConfusionMatrix",
            ("threshold=0.5, " if kind == _BINARY else "num_classes, ")
            + "ignore_index=None, normalize=None, validate_args=True",
            "metrics.ConfusionMatrix",
            {**_COMMON, "num_classes": to(""), "normalize": lost(None, "counts; divide `metric.matrix()` by what you need.")},
            (_LAYOUT, _SCORES, "The matrix is `metric.matrix()`; the columns are what is made of it."),
            finish=(lambda line, _: line.write("", "2")) if kind == _BINARY else None,
        )
        for kind in (_BINARY, _MULTI)
    ),
    Call(
        "torchmetrics.segmentation.DiceScore",
        "num_classes, include_background=True, average='macro', aggregation_level='samplewise', input_format='one-hot'",
        "metrics.DiceScore",
        {
            **_SEGMENTS,
            "average": choice("average", {"macro": None, "micro": "micro", "weighted": "weighted", "none": None, None: None}),
            "aggregation_level": both(sets("global", per="dataset"), sets("samplewise", absent="skip_both")),
        },
        (_LAYOUT, "torchmetrics averages over classes, then over images; ours over images first."),
    ),
    Call(
        "torchmetrics.segmentation.MeanIoU",
        "num_classes, include_background=True, per_class=False, input_format='one-hot'",
        "metrics.IoU",
        _SEGMENTS,
        (_LAYOUT, _ZERO),
    ),
    Call(
        "torchmetrics.segmentation.HausdorffDistance",
        "num_classes, include_background=False, distance_metric='euclidean', spacing=None, directed=False, "
        "input_format='one-hot'",
        "metrics.SurfaceDistance",
        {
            "num_classes": drop,
            "include_background": lost(False, "surfaces are those of the foreground classes."),
            "distance_metric": lost("euclidean", "distances are Euclidean."),
            "spacing": to("spacing", None),
            "directed": sets(True, directed="prediction_to_truth"),
            "input_format": lambda line, _: line.write("definitions", "('hd',)"),
        },
        (_LAYOUT,),
        column="surface_hd",
    ),
    Call(
        "torchmetrics.image.PeakSignalNoiseRatio",
        "data_range, base=10.0, reduction='elementwise_mean', dim=None",
        "metrics.PSNR",
        {
            "data_range": to("max_val", 1.0),
            "base": lost(10.0, "decibel have the base 10."),
            "reduction": _IMAGE["reduction"],
            "dim": note(
                None, "Without `dim` there is one mean squared error of all images there; here the mean of each image's PSNR."
            ),
        },
        (_LAYOUT,),
        column="psnr",
    ),
    Call(
        "torchmetrics.image.StructuralSimilarityIndexMeasure",
        "gaussian_kernel=True, sigma=1.5, kernel_size=11, reduction='elementwise_mean', data_range=None, k1=0.01, k2=0.03, "
        "return_full_image=False, return_contrast_sensitivity=False",
        "metrics.SSIM",
        {**_IMAGE, "kernel_size": drop, "data_range": to("max_val", 1.0)},
        (
            _LAYOUT,
            "torchmetrics' mean is over the border too, where the window reaches over reflected pixels; ours is over the "
            "places where it lies inside of the image.",
            "The window follows from `sigma` there; for another than 1.5 write `window=2 * int(3.5 * sigma + 0.5) + 1`.",
        ),
        column="ssim",
    ),
    Call(
        "torchmetrics.image.TotalVariation",
        "reduction='sum'",
        "losses.TotalVariation",
        {"reduction": lost("sum", "the mean over images.")},
        ("Ours is a mean over pixels and channels: times pixels, channels and images it is their sum.",),
    ),
    _retrieval("RetrievalMRR", "metrics.MRR", "mrr"),
    _retrieval("RetrievalMAP", "metrics.MAP", "map"),
    _retrieval("RetrievalNormalizedDCG", "metrics.NDCG", "ndcg"),
    _retrieval("RetrievalPrecision", "metrics.QueryPrecision", "query_precision", "top_k=None, adaptive_k=False, "),
    _retrieval("RetrievalRecall", "metrics.QueryRecall", "query_recall"),
    _retrieval(
        "RetrievalHitRate",
        "metrics.QueryRecall",
        "query_recall",
        top_k=both(to("k", None), lambda line, _: line.write("definition", "'any'")),
    ),
    _retrieval("RetrievalRPrecision", "metrics.QueryPrecision", "query_precision", ""),
    Call(
        "torchmetrics.detection.PanopticQuality",
        "things, stuffs, allow_unknown_preds_category=False, return_sq_and_rq=False, return_per_class=False",
        "metrics.PanopticQuality",
        {
            "things": both(lambda line, _: line.write("inputs", "'panoptic'"), to("things")),
            "stuffs": to("stuffs"),
            "allow_unknown_preds_category": sets(True, unknown_predictions="void"),
            "return_sq_and_rq": drop,
            "return_per_class": sets(True, per_class=True),
        },
        (_LAYOUT,),
        column="panoptic_pq",
    ),
)
