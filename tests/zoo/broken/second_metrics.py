"""A second handful of strangers' metrics, asked once the checks of the first were written."""

import keras
from keras import ops

from tests.zoo.broken.strangers_metrics import Share
from tests.zoo.entries import Broken

serializable = keras.saving.register_keras_serializable(package="zoo.broken.second_metrics")


@serializable
class ClassAccuracy(Share):
    """argmax over the samples; page "axis=0 in tf.argmax"."""

    def __init__(self, name="class_accuracy", **kwargs):
        super().__init__(name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        best = ops.cast(ops.argmax(y_pred, axis=0), "int32")
        self.add(ops.mean(ops.cast(ops.cast(y_true, "int32")[:, None] == best[None], "float32"), axis=-1), sample_weight)


@serializable
class TagError(Share):
    """Tags of one-hot rows, with padding; keras#3086."""

    def __init__(self, name="tag_error", **kwargs):
        super().__init__(name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.add(ops.argmax(y_true, axis=-1) != ops.argmax(y_pred, axis=-1), sample_weight)


@serializable
class Calibration(Share):
    """`temperature` is kept for later, and later never comes; "asked for"."""

    def __init__(self, temperature=1.5, name="calibration", **kwargs):
        super().__init__(name=name, **kwargs)
        if temperature <= 0:
            raise ValueError("temperature must be positive")
        self._temperature = float(temperature)

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.add(ops.mean(ops.abs(y_true - y_pred), axis=-1), sample_weight)

    def get_config(self):
        return {**super().get_config(), "temperature": self._temperature}


BROKEN = [
    Broken(ClassAccuracy, "M132", {"y_true": "int32[8]{0,4}", "y_pred": "float32[8,5]simplex"}),
    Broken(TagError, "M131", {"y_true": "float32[4,6,5]onehot", "y_pred": "float32[4,6,5]simplex"}),
    Broken(Calibration, "X113", {"y_true": "float32[8,1]{0,1}", "y_pred": "float32[8,1](0,1)"}),
]
