"""Every metric of kerasmith: no error may be reported."""

from kerasmith import metrics
from tests.zoo.entries import Right
from tests.zoo.metric_parts import BINARY, BINARY_MASKS, CLASS_IDS

PIXELS = {"y_true": "int32[4,6,5]{0,2}", "y_pred": "float32[4,6,5,3]simplex"}
OBJECTS = {"y_true": "float32[4,12,12,1]{0,1}", "y_pred": "float32[4,12,12,1](0,1)"}
IMAGES = {"y_true": "float32[4,16,16,2](0,1)", "y_pred": "float32[4,16,16,2](0,1)"}
LISTS = {"y_true": "float32[6,5]{0,2}", "y_pred": "float32[6,5](0,1)"}
EMBEDDINGS = {"y_true": "int32[12]{0,2}", "y_pred": "float32[12,6]"}
PANOPTIC = {"y_true": "int32[4,8,8,2]{0,2}", "y_pred": "int32[4,8,8,2]{0,2}"}

RIGHT = [
    Right(metrics.DiceScore, BINARY_MASKS),
    Right(metrics.DiceScore, PIXELS, {"num_classes": 3, "average": None, "absent": "skip"}),
    Right(metrics.IoU, PIXELS, {"num_classes": 3, "per": "dataset"}),
    Right(metrics.ConfusionMatrix, PIXELS, {"num_classes": 3}),
    Right(metrics.ConfusionMatrix, BINARY_MASKS, {"num_classes": 1, "multi_label": True}),
    Right(metrics.CohenKappa, CLASS_IDS, {"num_classes": 4, "weighting": "linear"}),
    Right(metrics.MCC, BINARY, {"num_classes": 2}),
    Right(metrics.TruePositives, PIXELS, {"num_classes": 3}, note="counts beyond 2^31"),
    Right(metrics.LesionDetection, OBJECTS, {"iou_threshold": 0.3, "min_size": 2, "size_groups": (20, 40)}),
    Right(metrics.PanopticQuality, OBJECTS),
    Right(metrics.PanopticQuality, PANOPTIC, {"inputs": "panoptic", "things": [1, 2], "stuffs": [0], "per_class": True}),
    Right(metrics.FROC, OBJECTS, {"bins": 64}),
    Right(metrics.SurfaceDistance, OBJECTS, {"spacing": (1.0, 0.5)}),
    Right(
        metrics.Bootstrap,
        CLASS_IDS,
        {"metric": metrics.MCC(4), "n": 50, "capacity": 99},
        note="intervals by resampling: a weight is no repetition",
    ),
    Right(metrics.AUC, BINARY, {"bins": 512}),
    Right(metrics.AUC, CLASS_IDS, {"bins": 512, "class_names": ["a", "b", "c", "d"], "name": "area"}),
    Right(metrics.AveragePrecision, BINARY, {"bins": 512}),
    Right(metrics.AveragePrecision, CLASS_IDS, {"bins": 512, "per_class": False}),
    Right(metrics.CalibrationError, BINARY),
    Right(metrics.CalibrationError, BINARY_MASKS, {"confidence": "winner"}),
    Right(metrics.Brier, BINARY),
    Right(metrics.Brier, CLASS_IDS, {"scale_by_half": True}),
    Right(metrics.PSNR, IMAGES),
    Right(metrics.PSNR, IMAGES, {"cap": None}),
    Right(metrics.SSIM, IMAGES, {"window": [7, 5]}),
    Right(metrics.NDCG, LISTS, {"absent": "zero", "gain": "exponential"}),
    Right(metrics.RetrievalRecall, EMBEDDINGS, {"k": [1, 3], "capacity": 200}),
    Right(metrics.RPrecision, EMBEDDINGS, {"max_relevant": 60, "capacity": 200, "similarity": "euclidean"}),
]
