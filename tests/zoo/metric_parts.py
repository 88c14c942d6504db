"""What several metrics of the zoo are made of, all of it right, and the inputs that they declare."""

import keras
from keras import ops

BINARY = {"y_true": "float32[8,1]{0,1}", "y_pred": "float32[8,1](0,1)"}
BINARY_MASKS = {"y_true": "float32[4,8,8,1]{0,1}", "y_pred": "float32[4,8,8,1](0,1)"}
REGRESSION = {"y_true": "float32[8,3](-2,2)", "y_pred": "float32[8,3](-2,2)"}
CLASS_IDS = {"y_true": "int32[8]{0,3}", "y_pred": "float32[8,4]simplex"}


def as_floats(*tensors):
    return [ops.cast(ops.convert_to_tensor(tensor), "float32") for tensor in tensors]


def row_weights(sample_weight, like):
    """Weights (B,) that fit values (B,); ones if there are none."""
    if sample_weight is None:
        return ops.ones_like(like)
    return ops.reshape(ops.cast(sample_weight, like.dtype), ops.shape(like))


def weights_of(sample_weight, rows):
    """One weight per row, whatever the shape (B,) or (B, 1) they came in."""
    if sample_weight is None:
        return ops.ones_like(rows)
    return ops.reshape(ops.cast(sample_weight, rows.dtype), ops.shape(rows))


class MeanError(keras.metrics.Metric):
    """A right mean of absolute errors, from which some components below differ in one method."""

    def __init__(self, name="mean_error", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def rows(self, y_true, y_pred):
        return ops.mean(ops.abs(ops.cast(y_true, "float32") - ops.cast(y_pred, "float32")), axis=-1)

    def update_state(self, y_true, y_pred, sample_weight=None):
        rows = self.rows(y_true, y_pred)
        weights = row_weights(sample_weight, rows)
        self.total.assign_add(ops.sum(rows * weights))
        self.count.assign_add(ops.sum(weights))

    def result(self):
        return self.total / self.count


class Rates(keras.metrics.Metric):
    """Right counts per class for the two components below."""

    def __init__(self, classes=4, name="rates", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.classes = classes
        self.hits = self.add_weight(shape=(classes,), name="hits", initializer="zeros")
        self.present = self.add_weight(shape=(classes,), name="present", initializer="zeros")
        self.claimed = self.add_weight(shape=(classes,), name="claimed", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        truth = ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), self.classes)
        guess = ops.one_hot(ops.argmax(y_pred, axis=-1), self.classes)
        weights = row_weights(sample_weight, truth[:, 0])[:, None]
        self.hits.assign_add(ops.sum(truth * guess * weights, axis=0))
        self.present.assign_add(ops.sum(truth * weights, axis=0))
        self.claimed.assign_add(ops.sum(guess * weights, axis=0))

    def get_config(self):
        return {**super().get_config(), "classes": self.classes}


class Sums(keras.metrics.Metric):
    """Named float32 sums, all zero at first."""

    def __init__(self, names, shape=(), name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.sums = {key: self.add_weight(shape=shape, initializer="zeros", dtype="float32", name=key) for key in names}

    def add(self, **values):
        for key, value in values.items():
            self.sums[key].assign_add(value)
