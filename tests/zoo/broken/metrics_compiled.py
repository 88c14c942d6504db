"""Metrics that are wrong in a compiled step, on replicas or on another backend."""

import keras
import numpy as np
from keras import ops

from tests.zoo.entries import Broken
from tests.zoo.metric_parts import BINARY, REGRESSION, MeanError, row_weights

serializable = keras.saving.register_keras_serializable(package="broken_metrics")


@serializable
class GuessedLogits(MeanError):
    """`if` on a tensor decides whether they are logits: no compiled step; tensorflow#11840."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        if ops.max(y_pred) > 1.0:
            y_pred = ops.sigmoid(y_pred)
        super().update_state(y_true, y_pred, sample_weight)


@serializable
class EagerCount(MeanError):
    """Counts rows in eager mode and batches in a compiled step: two numbers; no thread, constructed."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        import tensorflow as tf

        rows = self.rows(y_true, y_pred)
        weights = row_weights(sample_weight, rows)
        self.total.assign_add(ops.sum(rows * weights))
        self.count.assign_add(ops.sum(weights) if tf.executing_eagerly() else 1.0)


@serializable
class StaticCount(MeanError):
    """Takes the number of rows of `shape[0]`, which is None; tensorflow#53851."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        rows = self.rows(y_true, y_pred)
        weights = row_weights(sample_weight, rows)
        self.total.assign_add(ops.sum(rows * weights))
        self.count.assign_add(float(y_pred.shape[0]) * ops.mean(weights))


@serializable
class ReducedTwice(keras.metrics.Metric):
    """all-reduce in `update_state`, and Keras sums the replicas again: doubled; asked for: "distributed Dice score",
    addons#2629."""

    def __init__(self, name="replica_hits", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.hits = self.add_weight(name="hits", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        import tensorflow as tf

        rows = ops.sum(y_true * ops.round(y_pred), axis=-1)
        hits = ops.sum(rows * row_weights(sample_weight, rows))
        context = tf.distribute.get_replica_context()
        self.hits.assign_add(context.all_reduce(tf.distribute.ReduceOp.SUM, hits))

    def result(self):
        return self.hits + 0.0


@serializable
class SummedMaximum(keras.metrics.Metric):
    """A maximum in a variable that replicas sum: twice the maximum; extra_keras_metrics#11, tensorflow#39268."""

    def __init__(self, name="replica_maximum", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.largest = self.add_weight(name="largest", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        rows = ops.max(ops.abs(y_true - y_pred), axis=-1)
        rows = ops.where(row_weights(sample_weight, rows) > 0, rows, 0.0)
        self.largest.assign(ops.maximum(self.largest, ops.max(rows)))

    def result(self):
        return self.largest + 0


@serializable
class SpreadOfRows(MeanError):
    """`.std` of the tensor divides by n - 1 in PyTorch and by n in JAX; documented default of torch.std."""

    def rows(self, y_true, y_pred):
        return (ops.convert_to_tensor(y_true) - y_pred).std(axis=-1)


@serializable
class NumPyInside(MeanError):
    """NumPy in `update_state`: eager only; tensorflow#46640 (sklearn's F1), keras#9640."""

    def rows(self, y_true, y_pred):
        error = np.abs(ops.convert_to_numpy(y_true) - ops.convert_to_numpy(y_pred))
        return ops.convert_to_tensor(error.mean(axis=-1))


@serializable
class LoopOverSamples(MeanError):
    """A Python loop over the samples: as many operations as samples; tensorflow#24774, keras#19708."""

    def rows(self, y_true, y_pred):
        return ops.stack([ops.mean(ops.abs(y_true[i] - y_pred[i])) for i in range(y_pred.shape[0])])


@serializable
class FloatOfTensor(MeanError):
    """`float(...)` of a tensor in `update_state`: eager only; tensorflow#38038."""

    def rows(self, y_true, y_pred):
        scale = max(float(ops.max(ops.abs(y_pred))), 1.0)
        return super().rows(y_true, y_pred) * scale / scale


BROKEN = [
    Broken(GuessedLogits, "M124", BINARY, backends=("tensorflow", "jax")),
    Broken(EagerCount, "M115", REGRESSION, backends=("tensorflow",)),
    Broken(StaticCount, "M116", REGRESSION, backends=("tensorflow",)),
    Broken(ReducedTwice, "M118", BINARY, backends=("tensorflow",)),
    Broken(SummedMaximum, "M118", REGRESSION, backends=("tensorflow",)),
    Broken(SpreadOfRows, "M120", REGRESSION, backends=("jax", "torch")),
    Broken(NumPyInside, "M121", REGRESSION, backends=("tensorflow", "jax")),
    Broken(LoopOverSamples, "M127", REGRESSION, backends=("torch", "jax"), note="on TensorFlow the loop has no length (M116)"),
    Broken(LoopOverSamples, "M116", REGRESSION, backends=("tensorflow",)),
    Broken(FloatOfTensor, "M121", REGRESSION, backends=("tensorflow", "jax")),
]
