"""Metrics that depend on how the data are split, or on what came before."""

import keras
import numpy as np
from keras import ops

from tests.zoo.entries import Broken
from tests.zoo.metric_parts import BINARY, CLASS_IDS, REGRESSION, MeanError, row_weights

serializable = keras.saving.register_keras_serializable(package="broken_metrics")


@serializable
def f1(y_true, y_pred):
    """F1 of each batch, averaged by Keras over the batches; keras#4592, tensorflow/addons#825."""
    hard = ops.round(y_pred)
    hit = ops.sum(y_true * hard)
    return (2 * hit + 1e-7) / (ops.sum(y_true) + ops.sum(hard) + 1e-7)


@serializable
class MeanOfBatchMeans(MeanError):
    """Each batch counts 1, the smaller last one as well; gagneurlab/concise#5, keras#11235 (RMSE per batch)."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        rows = self.rows(y_true, y_pred)
        weights = row_weights(sample_weight, rows)
        self.total.assign_add(ops.sum(rows * weights) / ops.sum(weights))
        self.count.assign_add(1.0)


@serializable
class LastBatchOnly(keras.metrics.Metric):
    """`assign` instead of `assign_add`: the value of the last batch; tensorflow#46640 assigns the F1 so."""

    def __init__(self, name="accuracy_of_all", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.value = self.add_weight(name="value", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        rows = ops.cast(ops.equal(ops.argmax(y_pred, axis=-1), ops.cast(y_true, "int32")), "float32")
        weights = row_weights(sample_weight, rows)
        self.value.assign(ops.sum(rows * weights) / ops.sum(weights))

    def result(self):
        return self.value + 0


@serializable
class FixedDatasetSize(keras.metrics.Metric):
    """Divides by a number of samples given once: the same data twice give twice the mean; after keras#16285."""

    def __init__(self, samples=8, name="error_per_sample", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.samples = samples
        self.total = self.add_weight(name="total", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        rows = ops.mean(ops.abs(y_true - y_pred), axis=-1)
        self.total.assign_add(ops.sum(rows * row_weights(sample_weight, rows)))

    def result(self):
        return self.total / self.samples

    def get_config(self):
        return {**super().get_config(), "samples": self.samples}


@serializable
class HalfReset(MeanError):
    """`reset_state` forgets the count; keras#16359, netrack/keras-metrics#18."""

    def reset_state(self):
        self.total.assign(0.0)


@serializable
class OldResetOfMinimum(keras.metrics.Metric):
    """`reset_states` is never called, and the base reset writes 0 where inf is due: stays 0; keras-io PR 679, PR 1883."""

    def __init__(self, name="smallest_error", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.smallest = self.add_variable((), initializer=keras.initializers.Constant(np.inf), name="smallest")

    def update_state(self, y_true, y_pred, sample_weight=None):
        rows = ops.mean(ops.abs(y_true - y_pred), axis=-1)
        if sample_weight is not None:
            rows = ops.where(row_weights(sample_weight, rows) > 0, rows, np.inf)
        self.smallest.assign(ops.minimum(self.smallest, ops.min(rows)))

    def result(self):
        return self.smallest + 0

    def reset_states(self):
        self.smallest.assign(np.inf)


@serializable
class OldUpdate(keras.metrics.Metric):
    """`update` instead of `update_state`: never called; keras#8657."""

    def __init__(self, name="true_positives", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.hits = self.add_weight(name="hits", initializer="zeros")

    def update(self, y_true, y_pred, sample_weight=None):
        rows = ops.sum(ops.cast(y_pred > 0.5, "float32") * y_true, axis=-1)
        self.hits.assign_add(ops.sum(rows * row_weights(sample_weight, rows)))

    def result(self):
        return self.hits + 0.0


@serializable
class LiveVariable(keras.metrics.Metric):
    """`result` hands out the variable: History shows the validation count for training; asked for: "categorical true
    positives"."""

    def __init__(self, name="hits", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.hits = self.add_weight(name="hits", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        rows = ops.cast(ops.equal(ops.argmax(y_pred, axis=-1), ops.cast(y_true, "int32")), "float32")
        self.hits.assign_add(ops.sum(rows * row_weights(sample_weight, rows)))

    def result(self):
        return self.hits


BROKEN = [
    Broken(f1, "M101", BINARY, kind="metric"),
    Broken(MeanOfBatchMeans, "M101", REGRESSION),
    Broken(LastBatchOnly, "M101", CLASS_IDS),
    Broken(FixedDatasetSize, "M102", REGRESSION, {"samples": 8}, contract={"mean_like": True}),
    Broken(HalfReset, "M103", REGRESSION),
    Broken(LiveVariable, "M104", CLASS_IDS),
    Broken(OldResetOfMinimum, "M128", REGRESSION, backends=("jax", "torch"), note="on TensorFlow replicas sum it too (M118)"),
    Broken(OldUpdate, "M112", BINARY),
]
