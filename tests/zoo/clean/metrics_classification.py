"""Metrics of classes and masks that look odd and are right."""

import keras
from keras import ops

from tests.zoo.entries import Right
from tests.zoo.metric_parts import BINARY, BINARY_MASKS, CLASS_IDS, Sums, as_floats, weights_of

serializable = keras.saving.register_keras_serializable(package="right_metrics")


@serializable
class F1Score(Sums):
    """A ratio of sums: exact under any split. The variables live in a dict (made by `add_weight`, so Keras knows them)."""

    def __init__(self, threshold=0.5, name="f1", dtype=None):
        super().__init__(("hit", "claimed", "present"), name=name, dtype=dtype)
        self.threshold = threshold

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = as_floats(y_true, y_pred)
        hard = ops.cast(y_pred > self.threshold, "float32")
        hit = ops.sum(y_true * hard, axis=-1)
        w = weights_of(sample_weight, hit)
        self.add(hit=ops.sum(w * hit), claimed=ops.sum(w * ops.sum(hard, -1)), present=ops.sum(w * ops.sum(y_true, -1)))

    def result(self):
        return 2 * self.sums["hit"] / (self.sums["claimed"] + self.sums["present"])

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


@serializable
class ClassRates(Sums):
    """A dict of scalars with the metric's name in front; a class that never came is NaN, not 0."""

    def __init__(self, num_classes=4, name="rates", dtype=None):
        super().__init__(("hit", "claimed", "present"), (num_classes,), name=name, dtype=dtype)
        self.num_classes = num_classes

    def update_state(self, y_true, y_pred, sample_weight=None):
        truth = ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), self.num_classes)
        guess = ops.one_hot(ops.argmax(y_pred, axis=-1), self.num_classes)
        w = weights_of(sample_weight, truth[:, 0])[:, None]
        self.add(hit=ops.sum(w * truth * guess, 0), claimed=ops.sum(w * guess, 0), present=ops.sum(w * truth, 0))

    def result(self):
        found = {}
        for key, below in (("recall", self.sums["present"]), ("precision", self.sums["claimed"])):
            rates = self.sums["hit"] / below
            found.update({f"{self.name}_{key}_{c}": rates[c] for c in range(self.num_classes)})
        return found

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}


@serializable
class Perplexity(Sums):
    """exp of the mean cross-entropy: the exponential belongs in `result`. Grows without bound, smaller is better."""

    def __init__(self, from_logits=False, name="perplexity", dtype=None):
        super().__init__(("entropy", "count"), name=name, dtype=dtype)
        self.from_logits = from_logits
        self._direction = "down"

    def update_state(self, y_true, y_pred, sample_weight=None):
        ids = ops.cast(ops.reshape(y_true, (-1,)), "int32")
        rows = keras.losses.sparse_categorical_crossentropy(ids, as_floats(y_pred)[0], from_logits=self.from_logits)
        w = weights_of(sample_weight, rows)
        self.add(entropy=ops.sum(w * rows), count=ops.sum(w))

    def result(self):
        return ops.exp(self.sums["entropy"] / self.sums["count"])

    def get_config(self):
        return {**super().get_config(), "from_logits": self.from_logits}


@serializable
class CohenKappa(keras.metrics.Metric):
    """From a confusion matrix in one variable; may be negative."""

    def __init__(self, num_classes=4, name="kappa", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.num_classes = num_classes
        self.matrix = self.add_weight(shape=(num_classes, num_classes), initializer="zeros", dtype="float32", name="matrix")

    def update_state(self, y_true, y_pred, sample_weight=None):
        truth = ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), self.num_classes)
        guess = ops.one_hot(ops.argmax(y_pred, axis=-1), self.num_classes)
        w = weights_of(sample_weight, truth[:, 0])[:, None]
        self.matrix.assign_add(ops.matmul(ops.transpose(w * truth), guess))

    def result(self):
        share = self.matrix / ops.sum(self.matrix)
        by_chance = ops.sum(ops.sum(share, axis=0) * ops.sum(share, axis=1))
        return (ops.trace(share) - by_chance) / (1 - by_chance)

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}


@serializable
class HistogramAUC(keras.metrics.Metric):
    """Area under ROC of two histograms of scores: additive, and ties inside a bin count one half."""

    def __init__(self, bins=50, name="histogram_auc", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.bins = bins
        self.positive = self.add_weight(shape=(bins,), initializer="zeros", dtype="float32", name="positive")
        self.negative = self.add_weight(shape=(bins,), initializer="zeros", dtype="float32", name="negative")

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = as_floats(y_true, y_pred)
        truth, score = y_true[:, 0], y_pred[:, 0]
        where = ops.one_hot(ops.clip(ops.cast(score * self.bins, "int32"), 0, self.bins - 1), self.bins)
        w = weights_of(sample_weight, truth)[:, None]
        self.positive.assign_add(ops.sum(w * truth[:, None] * where, axis=0))
        self.negative.assign_add(ops.sum(w * (1 - truth[:, None]) * where, axis=0))

    def result(self):
        below = ops.cumsum(self.negative) - 0.5 * self.negative
        return ops.sum(self.positive * below) / (ops.sum(self.positive) * ops.sum(self.negative))

    def get_config(self):
        return {**super().get_config(), "bins": self.bins}


@serializable
class IoUPerImage(Sums):
    """Mean of one IoU per image: a mean of ratios is right here, since the ratio belongs to the image and not to the batch."""

    def __init__(self, smooth=1.0, name="iou_per_image", dtype=None):
        super().__init__(("iou", "count"), name=name, dtype=dtype)
        self.smooth = smooth

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = as_floats(y_true, y_pred)
        hard, axes = ops.cast(y_pred > 0.5, "float32"), (1, 2, 3)
        both = ops.sum(y_true * hard, axis=axes)
        either = ops.sum(ops.maximum(y_true, hard), axis=axes)
        rows = (both + self.smooth) / (either + self.smooth)
        w = weights_of(sample_weight, rows)
        self.add(iou=ops.sum(w * rows), count=ops.sum(w))

    def result(self):
        return self.sums["iou"] / self.sums["count"]

    def get_config(self):
        return {**super().get_config(), "smooth": self.smooth}


@serializable
class HitCounter(keras.metrics.Metric):
    """A count in two int32 limbs of 2^20: exact beyond 2^31. Grows with the data: a count is no mean."""

    limb = 1 << 20

    def __init__(self, name="hit_counter", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.low = self.add_variable((), "zeros", dtype="int32", name="low")
        self.high = self.add_variable((), "zeros", dtype="int32", name="high")

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = as_floats(y_true, y_pred)
        rows = ops.sum(ops.cast(y_true * ops.cast(y_pred > 0.5, "float32"), "int32"), axis=-1)
        if sample_weight is not None:
            rows = rows * ops.cast(ops.reshape(sample_weight, ops.shape(rows)), "int32")
        low = self.low + ops.sum(rows)
        self.high.assign_add(low // self.limb)
        self.low.assign(low % self.limb)

    def result(self):
        return ops.cast(self.high, "float32") * self.limb + ops.cast(self.low, "float32")


@serializable
class RecallOfClass(Sums):
    """One class of many; NaN while no row of it was seen, which is the truth."""

    def __init__(self, class_id=1, name="recall_of_class", dtype=None):
        super().__init__(("hit", "present"), name=name, dtype=dtype)
        self.class_id = class_id

    def update_state(self, y_true, y_pred, sample_weight=None):
        present = ops.cast(ops.equal(ops.cast(ops.reshape(y_true, (-1,)), "int32"), self.class_id), "float32")
        claimed = ops.cast(ops.equal(ops.cast(ops.argmax(y_pred, axis=-1), "int32"), self.class_id), "float32")
        w = weights_of(sample_weight, present)
        self.add(hit=ops.sum(w * present * claimed), present=ops.sum(w * present))

    def result(self):
        return self.sums["hit"] / self.sums["present"]

    def get_config(self):
        return {**super().get_config(), "class_id": self.class_id}


@serializable
def top_two(y_true, y_pred):
    """A function with one value per row: Keras averages rows, so any split is right."""
    wanted = ops.sum(ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), 4) * ops.cast(y_pred, "float32"), axis=-1)
    above = ops.sum(ops.cast(ops.cast(y_pred, "float32") > wanted[:, None], "float32"), axis=-1)
    return ops.cast(above < 2, "float32")


RIGHT = [
    Right(F1Score, BINARY, {"threshold": 0.3}, note="ratio of sums"),
    Right(ClassRates, CLASS_IDS, {"num_classes": 4}, note="dict; NaN for a class that never came"),
    Right(top_two, CLASS_IDS, kind="metric", note="plain function, one value per row"),
    Right(Perplexity, CLASS_IDS, note="exp in result; 0 times weight"),
    Right(Perplexity, {"y_true": "int32[8]{0,3}", "y_pred": "float32[8,4](-3,3)"}, {"from_logits": True}),
    Right(HitCounter, BINARY, contract={"mean_like": False, "integer_weights": True}, note="a count in two limbs"),
    Right(RecallOfClass, CLASS_IDS, {"class_id": 2}, note="NaN until the class was seen"),
    Right(CohenKappa, CLASS_IDS, {"num_classes": 4}, note="may be negative"),
    Right(HistogramAUC, BINARY, {"bins": 20}, note="histograms as state"),
    Right(IoUPerImage, BINARY_MASKS, {"smooth": 0.5}, note="mean of ratios per image"),
]
