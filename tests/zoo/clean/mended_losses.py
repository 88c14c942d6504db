"""Losses of `broken.strangers_losses` after the `fix` of their finding, as it is written there, was applied by hand."""

import keras
from keras import ops

from tests.zoo.broken import strangers_losses as broken
from tests.zoo.entries import Right

serializable = keras.saving.register_keras_serializable(package="mended_losses")


@serializable
def focal_of_chances(y_true, y_pred, gamma=2.0, alpha=0.25):
    """Probabilities are clipped before the logarithm."""
    y_pred = ops.clip(y_pred, 1e-6, 1.0 - 1e-6)
    return broken.focal_of_chances(y_true, y_pred, gamma, alpha)


@serializable
class ConfidencePenalty(broken.ConfidencePenalty):
    """Probabilities are clipped before the logarithm."""

    def call(self, y_true, y_pred):
        return super().call(y_true, ops.clip(y_pred, 1e-6, 1.0))


@serializable
class Hellinger(keras.losses.Loss):
    """A small number under the root."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(ops.sqrt(y_true + 1e-4) - ops.sqrt(y_pred + 1e-4)), axis=-1)


@serializable
class PixelCrossentropy(keras.losses.Loss):
    """The classes are on the last axis."""

    def call(self, y_true, y_pred):
        return -ops.mean(ops.sum(y_true * ops.log_softmax(y_pred, axis=-1), axis=-1), axis=(1, 2))


@serializable
class DiceOfChances(keras.losses.Loss):
    """The sigmoid is removed."""

    def call(self, y_true, y_pred):
        both = ops.sum(y_true * y_pred, axis=(1, 2, 3))
        return 1.0 - (2.0 * both + 1.0) / (ops.sum(y_true, axis=(1, 2, 3)) + ops.sum(y_pred, axis=(1, 2, 3)) + 1.0)


@serializable
class TverskyOfLogits(broken.TverskyOfLogits):
    """The attribute is used where it counts."""

    def call(self, y_true, y_pred):
        if self.from_logits:
            y_pred = ops.sigmoid(y_pred)
        return super().call(y_true, y_pred)


@serializable
class SmoothedEntropy(broken.SmoothedEntropy):
    """The smoothed labels are handed on."""

    def call(self, y_true, y_pred):
        smooth = y_true * (1.0 - self.label_smoothing) + self.label_smoothing / y_true.shape[-1]
        return keras.losses.categorical_crossentropy(smooth, y_pred)


@serializable
class MarginError(broken.MarginError):
    """The margin reaches the value."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.relu(ops.abs(y_pred - y_true) - self.margin), axis=-1)


@serializable
class RelativeError(keras.losses.Loss):
    """Computed in float32, whatever the predictions are."""

    def call(self, y_true, y_pred):
        y_true, y_pred = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        return ops.mean(ops.abs(y_true - y_pred) / (ops.abs(y_true) + 1e-7), axis=-1)


@serializable
class AsymmetricEntropy(broken.AsymmetricEntropy):
    """Registered."""


RIGHT = [
    Right(focal_of_chances, broken.CHANCES, note="L108"),
    Right(ConfidencePenalty, broken.CLASSES, note="L108"),
    Right(Hellinger, broken.CHANCES, note="L112"),
    Right(PixelCrossentropy, broken.MAPS, note="L134"),
    Right(DiceOfChances, broken.MASKS, note="L122"),
    Right(TverskyOfLogits, broken.MASKS, note="X113"),
    Right(SmoothedEntropy, broken.CLASSES, note="X114"),
    Right(MarginError, {"y_true": "float32[8,3](-2,2)", "y_pred": "float32[8,3](-2,2)"}, note="X114"),
    Right(RelativeError, {"y_true": "float32[8,3]{0,3}", "y_pred": "float32[8,3](-2,2)"}, note="L113"),
    Right(AsymmetricEntropy, broken.CHANCES, note="X109"),
]
