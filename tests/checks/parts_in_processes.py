"""Losses and metrics that are wrong, or right, in several processes only."""

import os

import keras
from keras import ops


class Squared(keras.losses.Loss):
    """Right."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)


class Halved(keras.losses.Loss):
    """Divides by the number of processes, which the engine does as well."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1) / int(os.environ.get("WORLD_SIZE", 1))


class Doubled(keras.metrics.Metric):
    """Adds up over processes by itself."""

    def __init__(self, name="doubled", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_weight(name="total", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(ops.sum(ops.abs(y_true - y_pred)) * int(os.environ.get("WORLD_SIZE", 1)))

    def result(self):
        return self.total + 0.0


class SummedMaximum(keras.metrics.Metric):
    """Says that a maximum adds up."""

    sums_over_replicas = True

    def __init__(self, name="summed_maximum", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.largest = self.add_weight(name="largest", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.largest.assign(ops.maximum(self.largest, ops.max(ops.abs(y_true - y_pred))))

    def result(self):
        return self.largest + 0.0


class Maximum(SummedMaximum):
    """Says that it does not."""

    sums_over_replicas = False


class OfOneRank(keras.metrics.Mean):
    """Counts something of its own process."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(ops.mean(ops.abs(y_true - y_pred)) + 0.1 * int(os.environ.get("RANK", 0)))
