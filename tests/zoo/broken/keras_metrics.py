"""Faults of metrics in Keras 3.15.1; where a later version has none, the entry goes to tests/zoo/clean/keras_metrics.py."""

import functools

from keras import metrics

from tests.zoo.entries import Broken
from tests.zoo.metric_parts import BINARY, CLASS_IDS, REGRESSION

ONE_HOT = {"y_true": "float32[8,4]onehot", "y_pred": "float32[8,4]simplex"}
IDS_OF_BOTH = {"y_true": "int32[8]{0,3}", "y_pred": "int32[8]{0,3}"}
MASKS_OF_BOTH = {"y_true": "int32[4,6,6]{0,3}", "y_pred": "int32[4,6,6]{0,3}"}
SIGNS_IN_A_ROW = {"y_true": "float32[8]{-1,1}", "y_pred": "float32[8,1](-2,2)"}
SEQUENCES = {"y_true": "float32[4,6,3](-2,2)", "y_pred": "float32[4,6,3](-2,2)"}

_COUNTS = (metrics.TruePositives, metrics.TrueNegatives, metrics.FalsePositives, metrics.FalseNegatives)
_live = functools.partial(Broken, backends=("torch",), note="the history of training shows the count of the validation")
_loops = functools.partial(Broken, backends=("torch",), note="`ops.scatter` loops over the pixels in Python")

BROKEN = [
    *[Broken(count, "M111", BINARY, backends=("tensorflow", "jax"), note="float32: stops at 2^24") for count in _COUNTS],
    *[_live(count, "M104", BINARY) for count in _COUNTS],
    _live(metrics.Sum, "M104", REGRESSION),
    Broken(metrics.BinaryIoU, "M105", BINARY, note="weights are cast to integers: .5 counts 0"),
    Broken(metrics.IoU, "M105", IDS_OF_BOTH, {"num_classes": 4, "target_class_ids": [1, 2]}),
    Broken(metrics.MeanIoU, "M105", IDS_OF_BOTH, {"num_classes": 4}),
    Broken(metrics.MeanIoU, "M105", MASKS_OF_BOTH, {"num_classes": 4}, note="one weight per mask is refused"),
    Broken(metrics.OneHotIoU, "M105", ONE_HOT, {"num_classes": 4, "target_class_ids": [0, 2]}),
    Broken(metrics.OneHotMeanIoU, "M105", ONE_HOT, {"num_classes": 4}),
    _loops(metrics.MeanIoU, "M127", IDS_OF_BOTH, {"num_classes": 4}),
    _loops(metrics.BinaryIoU, "M127", BINARY),
    Broken(metrics.F1Score, "M114", ONE_HOT, {"average": None}, note="a vector is the default"),
    Broken(metrics.FBetaScore, "M114", ONE_HOT, {"average": None}),
    Broken(metrics.Hinge, "M123", SIGNS_IN_A_ROW, note="labels (B,) against predictions (B, 1) are not squeezed"),
    Broken(metrics.SquaredHinge, "M123", SIGNS_IN_A_ROW),
    Broken(metrics.TopKCategoricalAccuracy, "M130", ONE_HOT, {"k": 2}, backends=("tensorflow",), note="`in_top_k` of float16"),
    Broken(metrics.SparseTopKCategoricalAccuracy, "M130", CLASS_IDS, {"k": 2}, backends=("tensorflow",)),
    Broken(metrics.CosineSimilarity, "X104", SEQUENCES, {"axis": 1}, note="`axis` is not in the configuration; PR 23285"),
]
