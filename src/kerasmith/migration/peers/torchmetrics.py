"""Metrics of torchmetrics 1.9 beside those of classification."""

from collections.abc import Mapping

from kerasmith.migration.call import Argument, Call
from kerasmith.migration.line import Line
from kerasmith.migration.peers.torchmetrics_classification import LAYOUT
from kerasmith.migration.rules import both, choice, drop, lost, note, sets, to

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
    Call(
        "torchmetrics.segmentation.DiceScore",
        "num_classes, include_background=True, average='macro', aggregation_level='samplewise', input_format='one-hot'",
        "metrics.DiceScore",
        {
            **_SEGMENTS,
            "average": choice("average", {"macro": None, "micro": "micro", "weighted": "weighted", "none": None, None: None}),
            "aggregation_level": both(sets("global", per="dataset"), sets("samplewise", absent="skip_both")),
        },
        (LAYOUT, "torchmetrics averages over classes, then over images; ours over images first."),
    ),
    Call(
        "torchmetrics.segmentation.MeanIoU",
        "num_classes, include_background=True, per_class=False, input_format='one-hot'",
        "metrics.IoU",
        _SEGMENTS,
        (LAYOUT, _ZERO),
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
        (LAYOUT,),
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
        (LAYOUT,),
        column="psnr",
    ),
    Call(
        "torchmetrics.image.StructuralSimilarityIndexMeasure",
        "gaussian_kernel=True, sigma=1.5, kernel_size=11, reduction='elementwise_mean', data_range=None, k1=0.01, k2=0.03, "
        "return_full_image=False, return_contrast_sensitivity=False",
        "metrics.SSIM",
        {**_IMAGE, "kernel_size": drop, "data_range": to("max_val", 1.0)},
        (
            LAYOUT,
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
        (LAYOUT,),
        column="panoptic_pq",
    ),
)
