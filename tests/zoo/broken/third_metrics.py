"""Metrics of a third blind corpus: decisions by a cast, classes beside the last axis, tables of pairs."""

import keras
from keras import ops

from tests.zoo.broken.strangers_metrics import Share
from tests.zoo.entries import Broken

serializable = keras.saving.register_keras_serializable(package="zoo.broken.third_metrics")


@serializable
class CastPrecision(Share):
    """A cast to integers is no threshold: each probability below 1 becomes 0."""

    def __init__(self, name="cast_agreement", **kwargs):
        super().__init__(name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        said = ops.cast(ops.cast(y_pred, "int32"), "float32")
        self.add(ops.mean(ops.abs(said - ops.cast(y_true, "float32")), axis=-1), sample_weight)


@serializable
class WholeAges(Share):
    """Ages of 20.9 years count as 20."""

    def __init__(self, name="absolute_error_of_ages", **kwargs):
        super().__init__(name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.add(ops.mean(ops.abs(ops.cast(ops.cast(y_true, "int32"), "float32") - y_pred), axis=-1), sample_weight)


@serializable
class WordHits(Share):
    """Labels (batch, time), scores (batch, time, vocab): the best word is looked for along time."""

    def __init__(self, name="word_hits", **kwargs):
        super().__init__(name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        best = ops.argmax(y_pred, axis=1)
        self.add(ops.mean(ops.cast(best, "float32"), axis=-1) - ops.mean(ops.cast(y_true, "float32"), axis=-1), sample_weight)


@serializable
class FlatHits(keras.metrics.Metric):
    """Only the labels are made flat: (B,) and (B, 1) meet as (B, B), whatever labels came."""

    def __init__(self, name="binary_hits", **kwargs):
        super().__init__(name=name, **kwargs)
        self.hits = self.add_weight(name="hits", initializer="zeros", dtype="float32")
        self.number = self.add_weight(name="number", initializer="zeros", dtype="float32")

    def update_state(self, y_true, y_pred, sample_weight=None):
        labels = ops.reshape(ops.cast(y_true, "float32"), (-1,))
        hits = ops.cast(ops.equal(ops.round(y_pred), labels), "float32")
        if sample_weight is not None:
            hits = hits * ops.cast(sample_weight, "float32")
        self.hits.assign_add(ops.sum(hits))
        self.number.assign_add(ops.cast(ops.size(labels), "float32"))

    def result(self):
        return ops.divide_no_nan(self.hits, self.number)


BROKEN = [
    Broken(CastPrecision, check="M134", like={"y_true": "float32[16,1]{0,1}", "y_pred": "float32[16,1](0,1)"}),
    Broken(WholeAges, check="M134"),
    Broken(WordHits, check="M132"),
    Broken(FlatHits, check="M101"),
]
