"""Metrics of values, of several outputs and of other metrics that look odd and are right."""

import keras
import numpy as np
from keras import ops

from tests.zoo.entries import Right
from tests.zoo.metric_parts import BINARY, CLASS_IDS, REGRESSION, Sums, as_floats, weights_of

serializable = keras.saving.register_keras_serializable(package="right_metrics")


@serializable
class MedianError(keras.metrics.Metric):
    """The median from a histogram: exact to the width of a bin, additive, no list of predictions."""

    def __init__(self, bins=64, top=4.0, name="median_error", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.bins, self.top = bins, top
        self.counts = self.add_weight(shape=(bins,), initializer="zeros", dtype="float32", name="counts")

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = as_floats(y_true, y_pred)
        rows = ops.mean(ops.abs(y_true - y_pred), axis=-1)
        where = ops.clip(ops.cast(rows / self.top * self.bins, "int32"), 0, self.bins - 1)
        self.counts.assign_add(ops.sum(ops.one_hot(where, self.bins) * weights_of(sample_weight, rows)[:, None], axis=0))

    def result(self):
        below = ops.cumsum(self.counts)
        total = below[-1]
        median = (ops.sum(ops.cast(below < 0.5 * total, "float32")) + 0.5) * self.top / self.bins
        return ops.where(total > 0, median, np.nan)

    def get_config(self):
        return {**super().get_config(), "bins": self.bins, "top": self.top}


@serializable
class RootMeanSquare(Sums):
    """The root is taken of the mean over all data, in `result`."""

    def __init__(self, name="rms", dtype=None):
        super().__init__(("squares", "count"), name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = as_floats(y_true, y_pred)
        rows = ops.mean(ops.square(y_true - y_pred), axis=-1)
        w = weights_of(sample_weight, rows)
        self.add(squares=ops.sum(w * rows), count=ops.sum(w))

    def result(self):
        return ops.sqrt(self.sums["squares"] / self.sums["count"])


@serializable
class Correlation(Sums):
    """Pearson's r from five sums; -1 to 1, NaN for constants."""

    def __init__(self, name="correlation", dtype=None):
        super().__init__(("w", "x", "y", "xx", "yy", "xy"), name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        x, y = as_floats(y_true, y_pred)
        w = weights_of(sample_weight, x[:, 0])
        values = {"x": x, "y": y, "xx": x * x, "yy": y * y, "xy": x * y}
        self.add(w=ops.sum(w), **{key: ops.sum(w * ops.mean(value, axis=-1)) for key, value in values.items()})

    def result(self):
        x, y, xx, yy, xy = (self.sums[key] / self.sums["w"] for key in ("x", "y", "xx", "yy", "xy"))
        return (xy - x * y) / ops.sqrt((xx - x * x) * (yy - y * y))


@serializable
class SmoothedAccuracy(keras.metrics.Metric):
    """An exponential average over batches: depends on their order and sizes on purpose (a live display)."""

    def __init__(self, momentum=0.9, name="smoothed_accuracy", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.momentum = momentum
        self.value = self.add_weight(initializer="zeros", dtype="float32", name="value")
        self.mass = self.add_weight(initializer="zeros", dtype="float32", name="mass")

    def update_state(self, y_true, y_pred, sample_weight=None):
        right = ops.equal(ops.cast(ops.reshape(y_true, (-1,)), "int32"), ops.cast(ops.argmax(y_pred, axis=-1), "int32"))
        right = ops.cast(right, "float32")
        w = weights_of(sample_weight, right)
        batch = ops.sum(w * right) / ops.maximum(ops.sum(w), 1e-7)
        self.value.assign(self.momentum * self.value + (1 - self.momentum) * batch)
        self.mass.assign(self.momentum * self.mass + (1 - self.momentum))

    def result(self):
        return self.value / self.mass

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


@serializable
class Sparsity(Sums):
    """Share of predictions near 0: ignores y_true on purpose."""

    def __init__(self, name="sparsity", dtype=None):
        super().__init__(("small", "count"), name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        (y_pred,) = as_floats(y_pred)
        rows = ops.mean(ops.cast(ops.abs(y_pred) < 0.5, "float32"), axis=-1)
        w = weights_of(sample_weight, rows)
        self.add(small=ops.sum(w * rows), count=ops.sum(w))

    def result(self):
        return self.sums["small"] / self.sums["count"]


@serializable
class F1OfParts(keras.metrics.Metric):
    """Made of two Keras metrics: no variable of its own, Keras tracks and resets the parts."""

    def __init__(self, name="f1_of_parts", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.precision = keras.metrics.Precision()
        self.recall = keras.metrics.Recall()

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.precision.update_state(y_true, y_pred, sample_weight)
        self.recall.update_state(y_true, y_pred, sample_weight)

    def reset_state(self):
        self.precision.reset_state()
        self.recall.reset_state()

    def result(self):
        p, r = self.precision.result(), self.recall.result()
        return 2 * p * r / (p + r)


@serializable
class IntervalCoverage(Sums):
    """The prediction has two columns (low, high) for one label: the shapes differ on purpose. Two results, a dict."""

    def __init__(self, name="interval", dtype=None):
        super().__init__(("inside", "width", "count"), name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = as_floats(y_true, y_pred)
        label, low, high = y_true[:, 0], ops.min(y_pred, axis=-1), ops.max(y_pred, axis=-1)
        w = weights_of(sample_weight, label)
        inside = ops.cast((label >= low) & (label <= high), "float32")
        self.add(inside=ops.sum(w * inside), width=ops.sum(w * (high - low)), count=ops.sum(w))

    def result(self):
        count = self.sums["count"]
        return {f"{self.name}_coverage": self.sums["inside"] / count, f"{self.name}_width": self.sums["width"] / count}


@serializable
class SmallestError(keras.metrics.Metric):
    """A minimum: starts at inf, so `reset_state` writes inf. One replica only: Keras has no minimum over replicas."""

    def __init__(self, name="smallest_error", dtype=None):
        super().__init__(name=name, dtype=dtype)
        start = keras.initializers.Constant(np.inf)
        self.smallest = self.add_variable((), start, dtype="float32", name="smallest")

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = as_floats(y_true, y_pred)
        rows = ops.mean(ops.abs(y_true - y_pred), axis=-1)
        rows = ops.where(weights_of(sample_weight, rows) > 0, rows, np.inf)
        self.smallest.assign(ops.minimum(self.smallest, ops.min(rows)))

    def reset_state(self):
        self.smallest.assign(np.inf)

    def result(self):
        return self.smallest + 0.0


@serializable
class ShiftedMean(Sums):
    """Sums are kept as differences to a constant near the data, against cancellation: reset is 0, the result is not."""

    def __init__(self, shift=100.0, name="shifted_mean", dtype=None):
        super().__init__(("total", "count"), name=name, dtype=dtype)
        self.shift = shift

    def update_state(self, y_true, y_pred, sample_weight=None):
        (y_pred,) = as_floats(y_pred)
        rows = ops.mean(y_pred - self.shift, axis=-1)
        w = weights_of(sample_weight, rows)
        self.add(total=ops.sum(w * rows), count=ops.sum(w))

    def result(self):
        return self.sums["total"] / self.sums["count"] + self.shift

    def get_config(self):
        return {**super().get_config(), "shift": self.shift}


@serializable
class ErrorOfHeads(Sums):
    """The model returns a dict of heads: one metric looks at both and answers with a dict."""

    def __init__(self, name="heads", dtype=None):
        super().__init__(("near", "far", "count"), name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        label, near, far = as_floats(y_true, y_pred["near"], y_pred["far"])
        near = ops.mean(ops.abs(label - near), axis=-1)
        far = ops.mean(ops.abs(label - far), axis=-1)
        w = weights_of(sample_weight, near)
        self.add(near=ops.sum(w * near), far=ops.sum(w * far), count=ops.sum(w))

    def result(self):
        return {f"{self.name}_{key}": self.sums[key] / self.sums["count"] for key in ("near", "far")}


@serializable
class WithinTolerance(keras.metrics.MeanMetricWrapper):
    """Inherits `MeanMetricWrapper` with a method as its function, and a config of its own."""

    def __init__(self, tolerance=0.5, name="within", dtype=None):
        super().__init__(fn=self._within, name=name, dtype=dtype)
        self.tolerance = tolerance

    def _within(self, y_true, y_pred):
        y_true, y_pred = as_floats(y_true, y_pred)
        return ops.mean(ops.cast(ops.abs(y_true - y_pred) < self.tolerance, "float32"), axis=-1)

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype, "tolerance": self.tolerance}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


RIGHT = [
    Right(MedianError, REGRESSION, {"bins": 32, "top": 5.0}, note="median from a histogram"),
    Right(RootMeanSquare, REGRESSION, note="root in result"),
    Right(Correlation, REGRESSION, note="five sums"),
    Right(
        SmoothedAccuracy,
        CLASS_IDS,
        {"momentum": 0.5},
        contract={"additive": False, "weights_repeat": False},
        note="depends on order and split on purpose",
    ),
    Right(Sparsity, REGRESSION, contract={"uses_y_true": False}, note="ignores y_true"),
    Right(F1OfParts, BINARY, note="metrics inside a metric"),
    Right(IntervalCoverage, {"y_true": "float32[8,1](-2,2)", "y_pred": "float32[8,2](-2,2)"}, note="dict; shapes differ"),
    Right(SmallestError, REGRESSION, contract={"replicas": False, "mean_like": False}, note="starts at inf; own reset_state"),
    Right(ShiftedMean, REGRESSION, {"shift": 5.0}, contract={"uses_y_true": False}, note="zero state, other result"),
    Right(
        ErrorOfHeads,
        {"y_true": "float32[8,3](-2,2)", "y_pred": {"near": "float32[8,3](-2,2)", "far": "float32[8,3](-2,2)"}},
        note="dict of outputs in, dict out",
    ),
    Right(WithinTolerance, REGRESSION, {"tolerance": 0.8}, note="MeanMetricWrapper with a bound method"),
]
