"""Metrics that get sample weights or shapes wrong."""

import keras
from keras import ops

from tests.zoo.entries import Broken
from tests.zoo.metric_parts import CLASS_IDS, REGRESSION, MeanError, row_weights

serializable = keras.saving.register_keras_serializable(package="broken_metrics")


@serializable
class WeightsIgnored(MeanError):
    """Takes `sample_weight` and does not look at it; asked for: "Dice score metric" (.667, right 1.0), keras#5549."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(y_true, y_pred)


@serializable
class WeightsInNumeratorOnly(MeanError):
    """Weights the errors and counts the rows: weight 2 is not two repetitions; keras#13329 (mean for sum of weights)."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        rows = self.rows(y_true, y_pred)
        self.total.assign_add(ops.sum(rows * row_weights(sample_weight, rows)))
        self.count.assign_add(ops.sum(ops.ones_like(rows)))


@serializable
class NoWeightArgument(MeanError):
    """`update_state` has no `sample_weight`: crashes in `weighted_metrics`; asked for: "lesion detection", keras#15373."""

    def update_state(self, y_true, y_pred):
        super().update_state(y_true, y_pred)


@serializable
class LargestErrorOfAll(keras.metrics.Metric):
    """A maximum over all rows, those of weight 0 too; no thread, constructed (k repetitions hold, deletion does not)."""

    def __init__(self, name="largest_error", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.largest = self.add_weight(name="largest", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.largest.assign(ops.maximum(self.largest, ops.max(ops.abs(y_true - y_pred))))

    def result(self):
        return self.largest + 0


@serializable
class BroadcastHits(keras.metrics.Metric):
    """Labels (B,) against predictions (B, 1) are counted B x B; asked for: "categorical true positives" (1744 of 280)."""

    def __init__(self, name="broadcast_accuracy", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.right = self.add_weight(name="right", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        right = ops.cast(ops.equal(y_true, ops.round(y_pred)), "float32")
        if sample_weight is not None:
            right = right * ops.cast(sample_weight, "float32")[:, None]
        self.right.assign_add(ops.sum(right))
        weights = ops.ones_like(right) if sample_weight is None else ops.cast(sample_weight, "float32")[:, None] + 0 * right
        self.count.assign_add(ops.sum(weights))

    def result(self):
        return self.right / self.count


@serializable
class WholeWeightsOnly(MeanError):
    """Casts the weights to integers: .5 counts 0; keras PR 20584 (MeanIoU got int32 weights)."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        rows = self.rows(y_true, y_pred)
        weights = ops.cast(ops.cast(row_weights(sample_weight, rows), "int32"), "float32")
        self.total.assign_add(ops.sum(rows * weights))
        self.count.assign_add(ops.sum(weights))


@serializable
class IdsInAColumn(keras.metrics.Metric):
    """Right for ids (B,), B x B for ids (B, 1); tensorflow#22190, asked for: "categorical true positives"."""

    def __init__(self, name="share_right", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.mean = keras.metrics.Mean()

    def update_state(self, y_true, y_pred, sample_weight=None):
        right = ops.cast(ops.equal(ops.cast(y_true, "int32"), ops.cast(ops.argmax(y_pred, axis=-1), "int32")), "float32")
        self.mean.update_state(right, sample_weight)

    def result(self):
        return self.mean.result()


BROKEN = [
    Broken(WeightsIgnored, "M105", REGRESSION),
    Broken(WeightsInNumeratorOnly, "M105", REGRESSION),
    Broken(NoWeightArgument, "M105", REGRESSION),
    Broken(LargestErrorOfAll, "M106", REGRESSION, backends=("jax", "torch"), note="on TensorFlow replicas sum it too (M118)"),
    Broken(BroadcastHits, "M123", {"y_true": "float32[8]{0,1}", "y_pred": "float32[8,1](0,1)"}),
    Broken(WholeWeightsOnly, "M105", REGRESSION),
    Broken(IdsInAColumn, "M129", CLASS_IDS),
]
