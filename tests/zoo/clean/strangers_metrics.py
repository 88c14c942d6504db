"""Metrics of strangers' code that look odd and are right, undeclared."""

import keras
from keras import ops

from tests.zoo.entries import Right

serializable = keras.saving.register_keras_serializable(package="right_strangers_metrics")


@serializable
def exact_match(y_true, y_pred):
    """A plain function that is a metric: it has no gradient on purpose."""
    return ops.all(ops.equal(ops.cast(y_true, "int32"), ops.cast(ops.argmax(y_pred, axis=-1), "int32")), axis=-1)


@serializable
def rounded_accuracy(y_true, y_pred):
    """The share of rounded predictions that are right: a metric."""
    return ops.mean(ops.cast(ops.equal(ops.round(y_pred), y_true), y_pred.dtype), axis=-1)


@serializable
class PeakSignalToNoise(keras.metrics.MeanMetricWrapper):
    """Decibels of each image, averaged; a wrapped function."""

    def __init__(self, top=1.0, name="peak_signal_to_noise", dtype=None):
        super().__init__(self._decibels, name=name, dtype=dtype)
        self.top = top

    def _decibels(self, y_true, y_pred):
        error = ops.mean(ops.square(ops.cast(y_true, y_pred.dtype) - y_pred), axis=(1, 2, 3))
        return 10.0 * ops.log10(self.top**2 / ops.maximum(error, 1e-7))

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype, "top": self.top}


@serializable
class LastLearned(keras.metrics.Mean):
    """A mean of what the loss is built from, with the sign turned: negative by design."""

    def __init__(self, name="log_likelihood", **kwargs):
        super().__init__(name=name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        p = ops.clip(ops.cast(y_pred, "float32"), 1e-6, 1.0 - 1e-6)
        y = ops.cast(y_true, "float32")
        super().update_state(ops.mean(y * ops.log(p) + (1.0 - y) * ops.log(1.0 - p), axis=-1), sample_weight)


RIGHT = [
    Right(exact_match, {"y_true": "int32[8,3]{0,3}", "y_pred": "float32[8,3,4]simplex"}, note="function, no gradient"),
    Right(rounded_accuracy, {"y_true": "float32[8,1]{0,1}", "y_pred": "float32[8,1](0,1)"}, note="function, no gradient"),
    Right(PeakSignalToNoise, {"y_true": "float32[4,6,6,1](0,1)", "y_pred": "float32[4,6,6,1](0,1)"}, note="bound method"),
    Right(LastLearned, {"y_true": "float32[8,1]{0,1}", "y_pred": "float32[8,1](0,1)"}, note="negative mean"),
]
