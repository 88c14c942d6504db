"""Metrics of torchmetrics.classification 1.9."""

from collections.abc import Mapping

from kerasmith.migration.call import Argument, Call
from kerasmith.migration.line import Line
from kerasmith.migration.rules import both, choice, drop, lost, to

LAYOUT = (
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
            (LAYOUT, _SCORES),
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
            (LAYOUT, _SCORES, *notes),
            finish=finish,
        )


_CURVE = {
    "max_fpr": lost(None, "the whole area."),
    "thresholds": lost(None, "scores are not rounded to thresholds."),
    "average": choice("average", {"macro": None, "weighted": "weighted", "micro": "micro", "none": None, None: None}),
    "normalization": drop,
}
_BINS = "Scores that fall into one of 16,384 bins count as equal here; `bins=2**20` tells all of them apart."
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
            (LAYOUT, _SCORES),
            finish=(lambda line, _: line.write("", "2")) if kind == _BINARY else None,
        )


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
        (LAYOUT, _SCORES),
        column="confusion_matrix_accuracy",
    ),
    Call(
        "torchmetrics.classification.MulticlassAccuracy",
        "num_classes, top_k=1, average='macro', " + _GLOBAL,
        "metrics.ConfusionMatrix",
        {**_COMMON, "num_classes": to(""), "average": drop},
        (LAYOUT, _SCORES, "The macro accuracy of torchmetrics is the mean recall of the classes."),
        column="confusion_matrix_recall",
        finish=_accuracy,
    ),
    *_agreement("CohenKappa", "metrics.CohenKappa", weights=True),
    *_agreement("MatthewsCorrCoef", "metrics.MCC", weights=False),
    *_one("AUROC", "{average}max_fpr=None, thresholds=None, " + _TAIL, "metrics.AUC", _CURVE, (_BINARY,)),
    *_one("AUROC", "{average}thresholds=None, " + _TAIL, "metrics.AUC", _CURVE, (_MULTI, _LABELS), "auc", notes=(_BINS,)),
    *_one(
        "AveragePrecision",
        "{average}thresholds=None, " + _TAIL,
        "metrics.AveragePrecision",
        _CURVE,
        (_MULTI, _LABELS),
        "average_precision",
        notes=(_BINS,),
    ),
    *_one(
        "AveragePrecision",
        "thresholds=None, ignore_index=None, validate_args=True, normalization='sigmoid'",
        "metrics.AveragePrecision",
        _CURVE,
        (_BINARY,),
        notes=(_BINS,),
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
            (LAYOUT, _SCORES, "The matrix is `metric.matrix()`; the columns are what is made of it."),
            finish=(lambda line, _: line.write("", "2")) if kind == _BINARY else None,
        )
        for kind in (_BINARY, _MULTI)
    ),
)
