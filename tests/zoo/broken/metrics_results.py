"""Metrics whose `result` cannot be used as it is."""

import keras
from keras import ops

from tests.zoo.entries import Broken
from tests.zoo.metric_parts import BINARY_MASKS, CLASS_IDS, REGRESSION, MeanError, Rates, row_weights

serializable = keras.saving.register_keras_serializable(package="broken_metrics")


@serializable
class PythonResult(MeanError):
    """`result` makes a Python number: stops a compiled step, stale in a traced one; tensorflow#38038 (`.numpy()`)."""

    def result(self):
        return float(ops.convert_to_numpy(self.total)) / max(float(ops.convert_to_numpy(self.count)), 1.0)


@serializable
class ResetsWhenRead(MeanError):
    """`result` empties the state, so the second look (the progress bar is the first) sees nothing; no thread, constructed."""

    def result(self):
        value = self.total / ops.maximum(self.count, 1e-7)
        self.total.assign(0.0)
        self.count.assign(0.0)
        return value


@serializable
class CollidingKeys(Rates):
    """A dict with the keys of other metrics and without its own name: two of them overwrite each other; keras#14163."""

    def result(self):
        hits = ops.sum(self.hits)
        return {"precision": hits / (ops.sum(self.claimed) + 1e-7), "recall": hits / (ops.sum(self.present) + 1e-7)}


@serializable
class RecallVector(Rates):
    """A vector per class: the mean in the bar, a crash in EarlyStopping; asked for: "confusion-matrix metric", keras#6682."""

    def result(self):
        return self.hits / (self.present + 1e-7)


@serializable
class PerfectOnNothing(keras.metrics.Metric):
    """Without data the smoothing constants give a perfect 1.0; keras#20574 (class not there counts 1)."""

    def __init__(self, name="smooth_dice", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.together = self.add_weight(name="together", initializer="zeros")
        self.total = self.add_weight(name="total", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        axes = (1, 2, 3)
        together = ops.sum(y_true * ops.round(y_pred), axis=axes)
        weights = row_weights(sample_weight, together)
        self.together.assign_add(ops.sum(together * weights))
        self.total.assign_add(ops.sum((ops.sum(y_true, axis=axes) + ops.sum(ops.round(y_pred), axis=axes)) * weights))

    def result(self):
        return (2 * self.together + 1e-5) / (self.total + 1e-5)


@serializable
class NothingToConcatenate(MeanError):
    """Asks for the smallest of no rows: `result` before the first batch crashes; no thread, constructed."""

    def result(self):
        if float(ops.convert_to_numpy(self.count)) == 0:
            raise ZeroDivisionError("no samples")
        return self.total / self.count


@serializable
class HitRate(MeanError):
    """More is better, and nothing says so: mode "auto" of ModelCheckpoint and EarlyStopping; keras#10863, keras#18798."""

    def rows(self, y_true, y_pred):
        return ops.mean(ops.cast(ops.abs(y_true - y_pred) < 0.5, "float32"), axis=-1)


BROKEN = [
    Broken(ResetsWhenRead, "M107", REGRESSION),
    Broken(PythonResult, "M108", REGRESSION),
    Broken(CollidingKeys, "M113", CLASS_IDS, {"classes": 4}),
    Broken(RecallVector, "M114", CLASS_IDS, {"classes": 4}),
    Broken(PerfectOnNothing, "M119", BINARY_MASKS),
    Broken(NothingToConcatenate, "M119", REGRESSION, backends=("torch",), note="elsewhere it does not compile"),
    Broken(HitRate, "M126", REGRESSION),
]
