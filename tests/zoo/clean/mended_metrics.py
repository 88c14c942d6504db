"""Metrics of `broken.strangers_metrics` after the `fix` of their finding, as it is written there, was applied by hand."""

import keras
from keras import ops

from tests.zoo.broken import strangers_metrics as broken
from tests.zoo.entries import Right

serializable = keras.saving.register_keras_serializable(package="mended_metrics")


@serializable
class SpecificityOfLogits(broken.SpecificityOfLogits):
    """Logits become probabilities before they are compared."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        if self.from_logits:
            y_pred = ops.sigmoid(y_pred)
        super().update_state(y_true, y_pred, sample_weight)


@serializable
class RoundedAgreement(broken.RoundedAgreement):
    """Logits become probabilities before they are rounded."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        if self._logits:
            y_pred = ops.sigmoid(y_pred)
        super().update_state(y_true, y_pred, sample_weight)


@serializable
class TokenAccuracy(broken.TokenAccuracy):
    """Each step is multiplied by the mask of the predictions."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        mask = getattr(y_pred, "_keras_mask", None)
        weight = ops.ones(ops.shape(y_true)) if mask is None else ops.cast(mask, "float32")
        if sample_weight is not None:
            sample_weight = ops.cast(sample_weight, "float32")
            weight = weight * ops.reshape(sample_weight, sample_weight.shape + (1,) * (2 - len(sample_weight.shape)))
        super().update_state(y_true, y_pred, weight)


@serializable
class PixelAccuracy(broken.Share):
    """The class of a pixel by argmax over the last axis."""

    def __init__(self, name="pixel_hits", **kwargs):
        super().__init__(name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        said = ops.cast(ops.argmax(y_pred, axis=-1), "int32")
        self.add(ops.mean(ops.cast(said == ops.cast(y_true, "int32"), "float32"), axis=(1, 2)), sample_weight)


@serializable
class HitRate(broken.HitRate):
    """`k` is looked at."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.add(ops.in_top_k(ops.cast(y_true, "int32"), y_pred, k=self.k), sample_weight)


@serializable
class Recall(broken.Recall):
    """Weights are taken, in the numerator and in the denominator."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        said = ops.cast(y_pred > 0.5, "float32")
        weight = 1.0 if sample_weight is None else ops.reshape(ops.cast(sample_weight, "float32"), (-1, 1))
        self.hit.assign_add(ops.sum(weight * said * y_true))
        self.all.assign_add(ops.sum(weight * y_true))


@serializable
class AllReducedAccuracy(broken.Share):
    """The sum over the replicas is left to Keras."""

    def __init__(self, name="all_reduced", **kwargs):
        super().__init__(name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.add(ops.mean(ops.cast(ops.equal(ops.round(y_pred), y_true), "float32"), axis=-1), sample_weight)


CHANCES = {"y_true": "float32[16,1]{0,1}", "y_pred": "float32[16,1](0,1)"}
RIGHT = [
    Right(SpecificityOfLogits, broken.LOGITS, note="X113"),
    Right(RoundedAgreement, broken.LOGITS, note="X113"),
    Right(TokenAccuracy, broken.TOKENS, note="M131"),
    Right(PixelAccuracy, broken.MAPS, note="M132"),
    Right(HitRate, broken.IDS, note="X113"),
    Right(Recall, CHANCES, note="M105"),
    Right(AllReducedAccuracy, CHANCES, note="M133"),
]
