"""Metrics whose state is where Keras does not see it, or too small for what it counts."""

import keras
from keras import ops

from tests.zoo.entries import Broken
from tests.zoo.metric_parts import BINARY, BINARY_MASKS, REGRESSION, MeanError, row_weights

serializable = keras.saving.register_keras_serializable(package="broken_metrics")


@serializable
class CollectsInAList(keras.metrics.Metric):
    """Predictions in a Python list: tensors of a dead trace, nothing on JAX; tensorflow#46640, keras#3230 (AUC by hand)."""

    def __init__(self, name="median_error", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.errors = []

    def update_state(self, y_true, y_pred, sample_weight=None):
        rows = ops.mean(ops.abs(y_true - y_pred), axis=-1)
        self.errors.append(rows if sample_weight is None else rows * row_weights(sample_weight, rows))

    def result(self):
        return ops.median(ops.concatenate(self.errors)) if self.errors else ops.zeros(())

    def reset_state(self):
        self.errors = []


@serializable
class CountsInPython(keras.metrics.Metric):
    """`self.n += ...` on tensors: the attribute is not state; keras#8657 ("positives += tp doesn't seem to work")."""

    def __init__(self, name="hits", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.hits = 0.0

    def update_state(self, y_true, y_pred, sample_weight=None):
        rows = ops.sum(y_true * ops.round(y_pred), axis=-1)
        self.hits += ops.sum(rows * row_weights(sample_weight, rows))

    def result(self):
        return ops.convert_to_tensor(self.hits)

    def reset_state(self):
        self.hits = 0.0


class _Counter:
    def __init__(self):
        self.total, self.count = keras.Variable(0.0, trainable=False), keras.Variable(0.0, trainable=False)


@serializable
class HiddenVariables(keras.metrics.Metric):
    """The variables live in a helper object, where Keras does not see them: lost on JAX; keras#21639, keras#19402."""

    def __init__(self, name="hidden_mean", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.state = _Counter()

    def update_state(self, y_true, y_pred, sample_weight=None):
        rows = ops.mean(ops.abs(y_true - y_pred), axis=-1)
        weights = row_weights(sample_weight, rows)
        self.state.total.assign(self.state.total + ops.sum(rows * weights))
        self.state.count.assign(self.state.count + ops.sum(weights))

    def result(self):
        return self.state.total / self.state.count

    def reset_state(self):
        self.state.total.assign(0.0)
        self.state.count.assign(0.0)


@serializable
class FloatCounter(keras.metrics.Metric):
    """A float32 count stops at 16,777,216; scikit-learn PR 34817, asked for: "Dice score metric"."""

    def __init__(self, name="hit_count", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.hits = self.add_weight(name="hits", initializer="zeros", dtype="float32")

    def update_state(self, y_true, y_pred, sample_weight=None):
        rows = ops.sum(y_true * ops.round(y_pred), axis=-1)
        self.hits.assign_add(ops.sum(rows * row_weights(sample_weight, rows)))

    def result(self):
        return self.hits + 0


@serializable
class Int32Pixels(keras.metrics.Metric):
    """An int32 count of pixels wraps at 2,147,483,648 and turns negative; PaddlePaddle/PaddleSeg PR 1788 (kappa overflow)."""

    def __init__(self, name="pixels_right", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.right = self.add_variable((), "zeros", dtype="int32", name="right")

    def update_state(self, y_true, y_pred, sample_weight=None):
        right = ops.cast(ops.equal(y_true, ops.round(y_pred)), "int32")
        if sample_weight is not None:
            rows = ops.sum(right, axis=(1, 2, 3))
            right = rows * ops.cast(ops.reshape(sample_weight, ops.shape(rows)), "int32")
        self.right.assign_add(ops.sum(right))

    def result(self):
        return self.right + 0


@serializable
class HalfAccumulator(MeanError):
    """Sums in float16: stops growing at 2048 rows, inf at 65504; datamol-io/graphium PR 429, tensorflow#45568."""

    def __init__(self, name="half_mean", dtype=None):
        keras.metrics.Metric.__init__(self, name=name, dtype=dtype)
        self.total = self.add_weight(name="total", initializer="zeros", dtype="float16")
        self.count = self.add_weight(name="count", initializer="zeros", dtype="float16")


@serializable
class FixedDtype(keras.metrics.Metric):
    """Takes `dtype` and does its sums and result in float32 whatever it says; tensorflow#36790 (set_floatx and metrics)."""

    def __init__(self, name="fixed_dtype", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_weight(name="total", initializer="zeros", dtype="float32")
        self.count = self.add_weight(name="count", initializer="zeros", dtype="float32")

    def update_state(self, y_true, y_pred, sample_weight=None):
        rows = ops.mean(ops.cast(y_pred, "float32"), axis=-1) - ops.mean(ops.cast(y_true, "float32"), axis=-1)
        weights = row_weights(sample_weight, rows)
        self.total.assign_add(ops.sum(rows * weights))
        self.count.assign_add(ops.sum(weights))

    def result(self):
        return self.total / self.count


@serializable
class WarmsUpInPython(MeanError):
    """Counts warm-up batches in Python: a traced step sees batch 0 for ever; larq PR 100 (a flag set in `update_state`)."""

    def __init__(self, name="after_warm_up", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.batches = 0

    def update_state(self, y_true, y_pred, sample_weight=None):
        share = 1.0 if self.batches > 1 else 0.25
        self.batches = self.batches + 1
        rows = self.rows(y_true, y_pred)
        weights = share * row_weights(sample_weight, rows)
        self.total.assign_add(ops.sum(rows * weights))
        self.count.assign_add(ops.sum(weights))


@serializable
class HalfPredictions(keras.metrics.Metric):
    """Sums the predictions in the type they come in: inf under mixed_float16; smp#463, tensorflow#45568."""

    def __init__(self, name="soft_dice", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.together = self.add_weight(name="together", initializer="zeros")
        self.total = self.add_weight(name="total", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true = ops.cast(y_true, y_pred.dtype)
        if sample_weight is not None:
            weights = ops.cast(sample_weight, y_pred.dtype)[:, None, None, None]
            y_true, y_pred = y_true * weights, y_pred * ops.ones_like(weights)
            self.together.assign_add(ops.cast(ops.sum(y_true * y_pred), "float32"))
            self.total.assign_add(ops.cast(ops.sum(y_true + y_pred * weights), "float32"))
            return
        self.together.assign_add(ops.cast(ops.sum(y_true * y_pred), "float32"))
        self.total.assign_add(ops.cast(ops.sum(y_true) + ops.sum(y_pred), "float32"))

    def result(self):
        return 2 * self.together / self.total


@serializable
class MixedTypes(MeanError):
    """Python operators between float32 labels and float16 predictions: an error on TensorFlow; tensorflow#36790."""

    def rows(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)


@serializable
class TensorFlowVariables(keras.metrics.Metric):
    """`tf.Variable` instead of `add_weight`: never reset by Keras; keras#8657 (K.variable)."""

    def __init__(self, name="raw_mean", dtype=None):
        super().__init__(name=name, dtype=dtype)
        import tensorflow as tf

        self.sum, self.seen = tf.Variable(0.0), tf.Variable(0.0)

    def update_state(self, y_true, y_pred, sample_weight=None):
        rows = ops.mean(ops.abs(y_true - y_pred), axis=-1)
        weights = row_weights(sample_weight, rows)
        self.sum.assign_add(ops.sum(rows * weights))
        self.seen.assign_add(ops.sum(weights))

    def result(self):
        return self.sum / self.seen


BROKEN = [
    Broken(CollectsInAList, "M109", REGRESSION),
    Broken(CountsInPython, "M109", BINARY),
    Broken(HiddenVariables, "M110", REGRESSION),
    Broken(FloatCounter, "M111", BINARY),
    Broken(Int32Pixels, "M111", BINARY_MASKS, contract={"integer_weights": True}),
    Broken(HalfAccumulator, "M117", REGRESSION),
    Broken(FixedDtype, "M122", REGRESSION, {"dtype": "float64"}, backends=("tensorflow", "torch")),
    Broken(WarmsUpInPython, "M109", REGRESSION),
    Broken(HalfPredictions, "M117", BINARY_MASKS),
    Broken(TensorFlowVariables, "M110", REGRESSION, backends=("tensorflow",)),
    Broken(MixedTypes, "M130", REGRESSION, backends=("tensorflow",)),
]
