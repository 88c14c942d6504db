"""Metrics whose construction or configuration loses something."""

import keras
from keras import ops

from tests.zoo.entries import Broken
from tests.zoo.metric_parts import BINARY, REGRESSION, MeanError, row_weights

serializable = keras.saving.register_keras_serializable(package="broken_metrics")


class _Thresholded(keras.metrics.Metric):
    def __init__(self, threshold=0.5, name="positive_rate", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.threshold = threshold
        self.right = self.add_weight(name="right", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        right = ops.equal(ops.cast(y_true, "bool"), y_pred > self.threshold)
        rows = ops.mean(ops.cast(right, "float32"), axis=-1)
        weights = row_weights(sample_weight, rows)
        self.right.assign_add(ops.sum(rows * weights))
        self.count.assign_add(ops.sum(weights))

    def result(self):
        return self.right / self.count


@serializable
class ForgottenThreshold(_Thresholded):
    """`threshold` is not in the config: .3 loads as .5; asked for: "Dice score metric", keras PR 23717 (axis of
    CosineSimilarity)."""


@serializable
class ForgottenDtype(_Thresholded):
    """The config is written by hand and leaves out `dtype`; no thread, common."""

    def get_config(self):
        return {"name": self.name, "threshold": self.threshold}


@serializable
class NoBaseArguments(keras.metrics.Metric):
    """Takes neither `name` nor `dtype`, which `from_config` hands over: does not load; asked for: "confusion-matrix"."""

    def __init__(self, scale=1.0):
        super().__init__(name="no_base_arguments")
        self.scale = scale
        self.mean = keras.metrics.Mean()

    def update_state(self, y_true, y_pred, sample_weight=None):
        rows = ops.mean(ops.abs(y_true - y_pred), axis=-1)
        self.mean.update_state(rows, sample_weight)

    def result(self):
        return self.scale * self.mean.result()

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


@serializable
class NoSuperInit(keras.metrics.Metric):
    """`super().__init__()` is missing; Keras says so only at the first `add_weight` or call; no thread, common."""

    def __init__(self, name="no_super", dtype=None):
        self.wanted = name

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.value = ops.mean(ops.abs(y_true - y_pred))

    def result(self):
        return self.value


@serializable
class ThresholdNeverStored(keras.metrics.Metric):
    """An argument is taken and never used; asked for: "lesion detection" (threshold never stored)."""

    def __init__(self, threshold=0.5, name="fixed_threshold", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.mean = keras.metrics.Mean()

    def update_state(self, y_true, y_pred, sample_weight=None):
        right = ops.equal(ops.cast(y_true, "bool"), y_pred > 0.5)
        self.mean.update_state(ops.mean(ops.cast(right, "float32"), axis=-1), sample_weight)

    def result(self):
        return self.mean.result()


@serializable
class SharedOptions(MeanError):
    """Options in a dict of the class: the second instance changes the first; no thread, constructed."""

    options = {"scale": 1.0}

    def __init__(self, scale=1.0, name="shared_options", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.options["scale"] = scale

    def result(self):
        return self.options["scale"] * self.total / self.count

    def get_config(self):
        return {**super().get_config(), "scale": self.options["scale"]}


BROKEN = [
    Broken(ForgottenThreshold, "X104", BINARY, {"threshold": 0.3}),
    Broken(ForgottenDtype, "X105", BINARY, {"threshold": 0.3}),
    Broken(NoBaseArguments, "X102", REGRESSION, {"scale": 2.0}),
    Broken(NoSuperInit, "X103", REGRESSION),
    Broken(ThresholdNeverStored, "X111", BINARY, {"threshold": 0.3}),
    Broken(SharedOptions, "X110", REGRESSION, {"scale": 2.0}),
]
