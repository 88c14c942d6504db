"""Metrics of MONAI 1.6."""

from collections.abc import Mapping

from kerasmith.migration.call import Argument, Call
from kerasmith.migration.line import Line
from kerasmith.migration.peers.monai import IMAGE
from kerasmith.migration.rules import both, choice, drop, lost, sets, to

_IGNORE = to("ignore_class", None)


def _percentile(line: Line, arguments: Mapping[str, Argument]) -> None:
    percentile = arguments["percentile"]
    if percentile.text in ("95", "95.0"):
        line.write("definitions", "('hd95',)")
        line.column = "surface_hd95"
    else:
        line.write("definitions", "('hd',)")
        if percentile.text != "None":
            line.lost.append(f"`percentile={percentile.text}`: there is the maximum (`hd`) and the 95th (`hd95`).")


_METRIC = {
    "include_background": to("include_background", True),
    "reduction": lost("mean", "here the mean over images, then over classes; `average=None` gives each class."),
    "get_not_nans": sets(True, report_cases=True),
    "ignore_index": _IGNORE,
    "num_classes": to("num_classes", None),
}
_OVERLAP = {**_METRIC, "ignore_empty": sets(True, absent="skip")}
_METRIC_LAYOUT = (
    "MONAI is called as metric(y_pred, y) on binarised (B, C, *spatial); ours reads probabilities, logits or ids on "
    "(B, *spatial, C), y_true first."
)
_ORDER = "MONAI averages over classes, then over images; ours over images first: the same unless classes are left out."
_SURFACE = {
    "include_background": lost(False, "surfaces are those of the foreground classes."),
    "distance_metric": lost("euclidean", "distances are Euclidean."),
    "reduction": lost("mean", "the mean over images, then over classes; `per_class=True` gives each."),
    "get_not_nans": drop,
    "ignore_index": _IGNORE,
    "directed": sets(True, directed="prediction_to_truth"),
}
_ONE_EMPTY = "Where one of truth and prediction is empty MONAI's distance is infinite or NaN; here the diagonal of the image."
_IMAGE_METRIC = {**IMAGE, "reduction": lost("mean", "the mean over images.")}
_AVERAGE = choice("average", {"macro": None, "weighted": "weighted", "micro": "micro", "none": None})

CALLS = (
    Call(
        "monai.metrics.DiceMetric",
        "include_background=True, reduction='mean', get_not_nans=False, ignore_empty=True, num_classes=None, "
        "return_with_label=False, per_component=False, ignore_index=None",
        "metrics.DiceScore",
        {
            **_OVERLAP,
            "return_with_label": sets(True, average=None),
            "per_component": lost(False, "objects are counted by `metrics.LesionDetection`."),
        },
        (_METRIC_LAYOUT, _ORDER),
    ),
    Call(
        "monai.metrics.MeanIoU",
        "include_background=True, reduction='mean', get_not_nans=False, ignore_empty=True, ignore_index=None",
        "metrics.IoU",
        _OVERLAP,
        (_METRIC_LAYOUT, _ORDER),
    ),
    Call(
        "monai.metrics.HausdorffDistanceMetric",
        "include_background=False, distance_metric='euclidean', percentile=None, directed=False, reduction='mean', "
        "get_not_nans=False, ignore_index=None",
        "metrics.SurfaceDistance",
        {**_SURFACE, "percentile": drop},
        (_METRIC_LAYOUT, _ONE_EMPTY),
        column="surface_hd",
        finish=_percentile,
    ),
    Call(
        "monai.metrics.SurfaceDistanceMetric",
        "include_background=False, symmetric=False, distance_metric='euclidean', reduction='mean', get_not_nans=False, "
        "ignore_index=None",
        "metrics.SurfaceDistance",
        {
            **_SURFACE,
            "symmetric": both(
                sets(False, directed="prediction_to_truth", definitions=("assd",)), sets(True, definitions=("assd",))
            ),
        },
        (_METRIC_LAYOUT, _ONE_EMPTY),
        column="surface_assd",
    ),
    Call(
        "monai.metrics.SurfaceDiceMetric",
        "class_thresholds, include_background=False, distance_metric='euclidean', reduction='mean', get_not_nans=False, "
        "use_subvoxels=False, ignore_index=None",
        "metrics.SurfaceDistance",
        {
            **_SURFACE,
            "class_thresholds": both(to("class_tolerances", None), lambda line, _: line.write("definitions", "('nsd',)")),
            "use_subvoxels": sets(True, surface="dual_grid"),
        },
        (_METRIC_LAYOUT,),
        column="surface_nsd",
    ),
    Call("monai.metrics.ROCAUCMetric", "average='macro'", "metrics.AUC", {"average": _AVERAGE}, (), column="auc_macro"),
    Call(
        "monai.metrics.AveragePrecisionMetric",
        "average='macro'",
        "metrics.AveragePrecision",
        {"average": _AVERAGE},
        (),
        column="average_precision_macro",
    ),
    Call(
        "monai.metrics.PSNRMetric",
        "max_val, reduction='mean', get_not_nans=False",
        "metrics.PSNR",
        {"max_val": to("max_val", 1.0), "reduction": _IMAGE_METRIC["reduction"], "get_not_nans": drop},
        ("Equal images are infinite there; here they count `cap` decibel, 100 by default.",),
        column="psnr",
    ),
    Call(
        "monai.metrics.SSIMMetric",
        "spatial_dims, data_range=1.0, kernel_type='gaussian', win_size=11, kernel_sigma=1.5, k1=0.01, k2=0.03, "
        "reduction='mean', get_not_nans=False",
        "metrics.SSIM",
        _IMAGE_METRIC,
        (_METRIC_LAYOUT,),
        column="ssim",
    ),
)
