"""Values that an argument is tried with, by its name, and trials of those that take more to show what they do."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from kerasmith import losses, metrics
from tests.metrics import battery
from tests.support import loss_functions
from tests.support.tiny_backbone import tiny_backbone

VALUES = {
    "absent": ["skip", "score", "zero", "nan"],
    "alpha": [0.0, 0.3, 3.0],
    "assd": ["mean_of_directed"],
    "average": ["micro", None],
    "axis": [1],
    "base": [0.1],
    "beta": [0.9, 3.0],
    "bins": [2, 3],
    "both_empty": ["perfect"],
    "cap": [1.0],
    "ce_weight": [3.0],
    "class_names": [["p", "q"], ["p", "q", "r"], ["p"]],
    "class_tolerances": [[3.0]],
    "class_weights": [[5.0], [1.0, 3.0], [1.0, 2.0, 5.0], [0.2, 0.3, 0.4, 0.5]],
    "components": [2],
    "confidence": ["winner", "positive"],
    "connectivity": [4, 8],
    "crossing_penalty": [0.0, 7.0],
    "definition": ["share", "any"],
    "definitions": [["hd"], ["nsd"]],
    "delta": [0.1, 0.9],
    "dice_weight": [0.1],
    "directed": ["prediction_to_truth"],
    "distance": ["squared", "cosine", "l2"],
    "dwell_weight": [3.0],
    "epsilon": [0.9, 0.0],
    "factor": [0.1],
    "factors": [[1.0, 5.0]],
    "focal_weight": [3.0],
    "fp_per_image": [(0.1, 3)],
    "focal_background": [False],
    "from_logits": [True, False],
    "full": [True, False],
    "gamma": [0.1, 0.9, 3.0],
    "gain": ["linear", "exponential"],
    "hd95": ["pooled"],
    "hit": ["peak", "center"],
    "ignore_class": [0, 1, 2],
    "include_background": [True, False],
    "instance_labels": [True],
    "instance_predictions": [True],
    "iou_threshold": [0.9],
    "iterations": [1],
    "k": [[1], [2, 3], 1, 2],
    "k1": [0.5],
    "k2": [0.5],
    "kind": ["asymmetric", "symmetric", "hinge", "softmax", "isotropic", "wgan"],
    "label_smoothing": [0.3],
    "layer_weights": [[0.1, 3.0]],
    "layers": [["second"]],
    "loss": ["mae"],
    "losses": [["mae", losses.Dice()]],
    "maps": [True],
    "margin": [0.0, 0.3, 3.0],
    "max_relevant": [2],
    "max_val": [3.0, 5.0],
    "mining": ["hard", "all"],
    "min_size": [9],
    "multi_label": [True],
    "n": [20],
    "net": ["vgg"],
    "normalize": [True],
    "one_empty": ["infinite", "skip"],
    "per": ["dataset", "image"],
    "per_class": [True, False],
    "pos_margin": [0.3],
    "pos_weight": [3.0],
    "power": [1, 2, 3],
    "preprocess": [(-1.0, 3.0)],
    "quantiles": [0.1, [0.1, 0.2, 0.9]],
    "reduction": ["sum"],
    "report": [["recall"]],
    "report_cases": [True, False],
    "scale": [3.0],
    "scale_by_half": [True, False],
    "scale_weights": [[0.9, 0.1]],
    "scope": ["batch"],
    "seed": [7],
    "sigma": [0.7],
    "similarity": ["euclidean", "cosine"],
    "size_groups": [None, (5,)],
    "smooth": [0.0, 50.0],
    "soft_labels": [True],
    "spacing": [3.0, (3.0, 1.0)],
    "surface": ["dual_grid"],
    "temperature": [2.0],
    "threshold": [0.2, 0.8],
    "tolerances": [(0.5, 3.0)],
    "top_k": [1, 2],
    "value_range": [(-1.0, 1.5)],
    "variance": ["log", "softplus"],
    "weight": [0.1],
    "weighting": ["quadratic"],
    "window": [3],
}


@dataclasses.dataclass(frozen=True)
class Trial:
    """Values that show their effect beside certain other arguments, or on a certain batch.

    Attributes:
        values: of the argument.
        base: the other arguments.
        batch: a function without arguments that gives (y_true, y_pred); None for the first one of the part's battery.
    """

    values: Sequence
    base: dict = dataclasses.field(default_factory=dict)
    batch: Callable | None = None


def _of(data):
    return lambda: data(np.random.default_rng(0))


def _cubes(rng):
    return rng.random((4, 12, 12, 12)).astype("float32"), rng.random((4, 12, 12, 12)).astype("float32")


def _either_axis(rng):
    """One-hot labels of 3 classes at the last axis, and as good a batch if the classes are at axis 1."""
    return np.eye(3, dtype="float32")[rng.integers(0, 3, (4, 3, 6))], rng.random((4, 3, 6, 3)).astype("float32")


def _multi_label(rng):
    return (rng.random((4, 5, 6, 3)) < 0.5).astype("float32"), rng.normal(size=(4, 5, 6, 3)).astype("float32")


def _instances(rng):
    """True instances that a lower threshold matches in another way, and predicted ones."""
    truth = np.zeros((1, 8, 8, 1), "int32")
    truth[0, 0, :4], truth[0, 0, 4:] = 1, 2
    prediction = np.zeros_like(truth)
    prediction[0, 0, 1:6], prediction[0, 1, :] = 5, 9
    prediction[0, 0, 0] = 7
    return truth, prediction


def _instance_maps(rng):
    return tuple(np.concatenate([ids > 0, ids], -1).astype("int32") for ids in _instances(rng))


def _soft_labels(rng):
    return rng.random((4, 5, 6, 1)).astype("float32"), rng.random((4, 5, 6, 1)).astype("float32")


def _one_class(rng):
    ids, scores = battery.classes(rng)
    return ids % 2, scores


def _strangers(rng):
    """Two samples have an id that no other has."""
    ids, vectors = battery.embeddings(rng)
    return np.where(np.arange(len(ids)) < 2, 90 + np.arange(len(ids)), ids), vectors


def _some_empty(rng):
    truth, scores = battery.masks(rng)
    truth[::2] = 0
    return truth, scores


_PANOPTIC = {"inputs": "panoptic", "things": [1, 2], "stuffs": [0]}
_BINARY = _of(battery.binary)

# What any part that reads pixels is tried with.
OF_PIXELS = {
    "multi_label": [Trial([True], {"from_logits": True, "labels": "one_hot"}, _of(_multi_label))],
    "axis": [Trial([1], {"labels": "one_hot"}, _of(_either_axis))],
    "soft_labels": [Trial([True], {}, _of(_soft_labels))],
}

TRIALS = {
    ("AUC", "absent"): [Trial(["nan"], {"bins": 64}, _of(_one_class))],
    ("AveragePrecision", "absent"): [Trial(["nan"], {"bins": 64}, _of(_one_class))],
    ("Bootstrap", "confidence"): [Trial([0.5], {"metric": metrics.MCC(3), "n": 50})],
    ("Bootstrap", "metric"): [Trial([metrics.CohenKappa(3)], {"metric": metrics.MCC(3), "n": 50})],
    ("ClickDwell", "log_dwell"): [Trial([False])],
    ("ConfusionMatrix", "absent"): [Trial(["zero"], {"num_classes": 3}, lambda: (np.array([0, 1, 2]), np.array([0, 1, 1])))],
    ("IoU", "class_weights"): [Trial([[1.0, 2.0, 5.0]], {"per": "dataset"}, _of(battery.pixels))],
    ("MCC", "top_k"): [Trial([2], {"num_classes": 3}, _of(battery.pixels))],
    ("IoU", "absent"): [
        Trial(["skip"], {}, _of(_some_empty)),
        Trial(["skip"], {"per": "dataset", "num_classes": 3}, lambda: (np.array([[0, 1, 1]]), np.array([[0, 1, 2]]))),
    ],
    ("FROC", "iou_threshold"): [Trial([0.9], {"bins": 64, "hit": "iou"})],
    ("FunctionLoss", "fixed"): [Trial([{"factor": 2.0}], {"fn": loss_functions.pulled}, _of(battery.images))],
    ("FunctionLoss", "fn"): [Trial([loss_functions.excess], {"fn": loss_functions.pulled}, _of(battery.images))],
    ("GaussianNLL", "variance_floor"): [Trial([2.0])],
    ("LesionDetection", "instance_predictions"): [Trial([True], {"instance_labels": True}, _of(_instances))],
    ("LesionDetection", "matching"): [
        Trial(["optimal"], {"iou_threshold": 0.0, "instance_labels": True, "instance_predictions": True}, _of(_instances))
    ],
    ("MinimumArea", "area"): [Trial([2], {"area": 30})],
    ("MinimumArea", "per"): [Trial(["image"], {"area": 30})],
    ("PanopticQuality", "matching"): [
        Trial(["optimal"], {**_PANOPTIC, "iou_threshold": 0.1, "matching": "greedy"}, _of(_instance_maps))
    ],
    ("PanopticQuality", "stuffs"): [Trial([[]], {**_PANOPTIC, "unknown_predictions": "void"}, _of(battery.panoptic_maps))],
    ("PanopticQuality", "things"): [Trial([[1]], {**_PANOPTIC, "unknown_predictions": "void"}, _of(battery.panoptic_maps))],
    **{
        (name, "backbone"): [Trial([tiny_backbone(seed=1)], {"backbone": tiny_backbone(), "layers": ["first"]})]
        for name in ("Perceptual", "GramStyle")
    },
    **{
        (name, "value_range"): [
            Trial([(-1.0, 1.5)], {"backbone": tiny_backbone(), "layers": ["first"], "preprocess": (0.0, 1.0)})
        ]
        for name in ("Perceptual", "GramStyle")
    },
    **{
        (name, "axis"): [Trial([1], {"backbone": tiny_backbone(12), "layers": ["first"]}, _of(_cubes))]
        for name in ("Perceptual", "GramStyle")
    },
    ("PenalizedMSE", "center"): [Trial([0.9])],
    ("RPrecision", "absent"): [Trial(["zero"], {"max_relevant": 11, "capacity": 12}, _of(_strangers))],
    ("RetrievalRecall", "absent"): [Trial(["zero"], {"k": [1], "capacity": 12}, _of(_strangers))],
    ("Shared", "metrics"): [Trial([[metrics.MCC(3)]], {"metrics": [metrics.IoU(3)]})],
    ("SoftConstraint", "fixed"): [Trial([{"factor": 2.0}], {"fn": loss_functions.pulled}, _of(battery.images))],
    ("SoftConstraint", "fn"): [Trial([loss_functions.excess], {"fn": loss_functions.pulled}, _of(battery.images))],
    ("SurfaceDistance", "per_class"): [Trial([True], {}, _of(battery.pixels))],
    ("SSIM", "axis"): [Trial([1], {"window": 3}, _of(_cubes))],
    ("MSSSIM", "axis"): [Trial([1], {"window": 3, "scale_weights": [0.4, 0.6]}, _of(_cubes))],
    **{
        (name, argument): [Trial(values, {"num_classes": 2, "threshold": 0.4, **more}, _BINARY)]
        for name in ("CohenKappa", "TruePositives", "MCC", "ConfusionMatrix")
        for argument, values, more in (("from_logits", [True], {}), ("threshold", [0.8], {}))
    },
    **{
        ("IoU", argument): [Trial(values, {"threshold": 0.4}, _of(battery.masks))]
        for argument, values in (("from_logits", [True]), ("threshold", [0.8]))
    },
    **{
        (name, "axis"): [Trial([1], {"num_classes": 3, "labels": "one_hot"}, _of(_either_axis))]
        for name in ("CohenKappa", "ConfusionMatrix", "MCC", "TruePositives")
    },
}
