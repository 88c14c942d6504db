"""Metrics that fail on the inputs that they are made for."""

import keras
from keras import ops

from tests.zoo.entries import Broken

serializable = keras.saving.register_keras_serializable(package="zoo.broken.metrics_first_call")

CLASS_IDS = {"y_true": "int32[8]{0,4}", "y_pred": "float32[8,5]simplex"}


@serializable
class AccuracyOfFloats(keras.metrics.Metric):
    """Compares integers of argmax with an index that does not exist: raises in the first batch; no thread, constructed."""

    def __init__(self, name="accuracy_of_floats", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.hits = self.add_weight(name="hits", initializer="zeros")
        self.seen = self.add_weight(name="seen", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        hits = ops.equal(ops.cast(y_true, "int64"), ops.cast(ops.argmax(y_pred, axis=2), "int64"))
        self.hits.assign_add(ops.sum(ops.cast(hits, "float32")))
        self.seen.assign_add(ops.cast(ops.size(hits), "float32"))

    def result(self):
        return ops.divide_no_nan(self.hits.value, self.seen.value)


BROKEN = [Broken(AccuracyOfFloats, "M000", CLASS_IDS)]
