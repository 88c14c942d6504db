"""Losses of strangers' code, written before the rules that find them: each resembles the thread that it names."""

import keras
from keras import ops

from tests.zoo.entries import Broken

serializable = keras.saving.register_keras_serializable(package="zoo.broken.strangers_losses")

CHANCES = {"y_true": "float32[8,1]{0,1}", "y_pred": "float32[8,1](0,1)"}
CLASSES = {"y_true": "float32[8,4]onehot", "y_pred": "float32[8,4]simplex"}
MASKS = {"y_true": "float32[4,8,8,1]{0,1}", "y_pred": "float32[4,8,8,1](0,1)"}
MAPS = {"y_true": "float32[4,6,5,3]onehot", "y_pred": "float32[4,6,5,3](-3,3)"}


@serializable
def focal_of_chances(y_true, y_pred, gamma=2.0, alpha=0.25):
    """log of a probability that may be exactly 0 or 1; mkocabas/focal-loss-keras#17."""
    ones = alpha * (1.0 - y_pred) ** gamma * y_true * ops.log(y_pred)
    zeros = (1.0 - alpha) * y_pred**gamma * (1.0 - y_true) * ops.log(1.0 - y_pred)
    return -ops.mean(ones + zeros, axis=-1)


@serializable
class ConfidencePenalty(keras.losses.Loss):
    """Crossentropy less the entropy of the predictions, whose p log p is NaN at p = 0; focal-loss-keras#5 has the like."""

    def __init__(self, strength=0.1, name="confidence_penalty", **kwargs):
        super().__init__(name=name, **kwargs)
        self.strength = strength

    def call(self, y_true, y_pred):
        entropy = -ops.sum(y_pred * ops.log(y_pred), axis=-1)
        return keras.losses.categorical_crossentropy(y_true, y_pred) - self.strength * entropy

    def get_config(self):
        return {**super().get_config(), "strength": self.strength}


@serializable
def histogram_divergence(y_true, y_pred):
    """y log(y / p): the labels are 0 in most places, and 0 log 0 is NaN; fudannlp16/focal-loss#4."""
    return ops.sum(y_true * ops.log(y_true / ops.clip(y_pred, 1e-6, 1.0)), axis=-1)


@serializable
class Hellinger(keras.losses.Loss):
    """The square root of probabilities: its gradient is infinite at 0; kornia#918."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(ops.sqrt(y_true) - ops.sqrt(y_pred)), axis=-1)


@serializable
class PixelCrossentropy(keras.losses.Loss):
    """softmax over the rows of an image instead of its classes; keras#9307."""

    def call(self, y_true, y_pred):
        log_chances = ops.log_softmax(y_pred, axis=1)
        return -ops.mean(ops.sum(y_true * log_chances, axis=-1), axis=(1, 2))


@serializable
class WeightedPixels(keras.losses.Loss):
    """The class of a pixel by argmax over the columns: the weights go to other pixels; keras#6261 asks for such weights."""

    def __init__(self, weights=(1.0, 2.0, 4.0, 1.0, 1.0, 1.0), **kwargs):
        super().__init__(**kwargs)
        self.weights = tuple(weights)

    def call(self, y_true, y_pred):
        entropy = keras.losses.categorical_crossentropy(y_true, y_pred, from_logits=True)
        ids = ops.argmax(y_true, axis=2)
        weight = ops.mean(ops.take(ops.convert_to_tensor(self.weights), ids), axis=-1)
        return ops.mean(entropy * weight[:, :, None], axis=(1, 2))

    def get_config(self):
        return {**super().get_config(), "weights": self.weights}


@serializable
class DiceOfChances(keras.losses.Loss):
    """A sigmoid of what is a probability already: the best value is far from 0; dr-costas/dnd-sed#1 is its reverse."""

    def call(self, y_true, y_pred):
        y_pred = ops.sigmoid(y_pred)
        both = ops.sum(y_true * y_pred, axis=(1, 2, 3))
        return 1.0 - (2.0 * both + 1.0) / (ops.sum(y_true, axis=(1, 2, 3)) + ops.sum(y_pred, axis=(1, 2, 3)) + 1.0)


@serializable
class TverskyOfLogits(keras.losses.Loss):
    """`from_logits` is kept and never asked; tensorflow#42182."""

    def __init__(self, alpha=0.3, beta=0.7, from_logits=False, name="tversky", **kwargs):
        super().__init__(name=name, **kwargs)
        self.alpha, self.beta, self.from_logits = alpha, beta, from_logits

    def call(self, y_true, y_pred):
        y_true = ops.cast(y_true, y_pred.dtype)
        axes = tuple(range(1, len(y_pred.shape)))
        hit = ops.sum(y_true * y_pred, axis=axes)
        more = ops.sum((1.0 - y_true) * y_pred, axis=axes)
        less = ops.sum(y_true * (1.0 - y_pred), axis=axes)
        return 1.0 - (hit + 1.0) / (hit + self.alpha * more + self.beta * less + 1.0)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha, "beta": self.beta, "from_logits": self.from_logits}


@serializable
class SmoothedEntropy(keras.losses.Loss):
    """The smoothed labels are computed and thrown away: `label_smoothing` changes nothing; "asked for"."""

    def __init__(self, label_smoothing=0.1, name="smoothed_entropy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        smooth = y_true * (1.0 - self.label_smoothing) + self.label_smoothing / y_true.shape[-1]
        ops.clip(smooth, 0.0, 1.0)
        return keras.losses.categorical_crossentropy(y_true, y_pred)

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


@serializable
class MarginError(keras.losses.Loss):
    """`margin` is read and cancels out; "asked for"."""

    def __init__(self, margin=0.5, name="margin_error", **kwargs):
        super().__init__(name=name, **kwargs)
        self.margin = margin

    def call(self, y_true, y_pred):
        distance = (y_pred + self.margin) - (y_true + self.margin)
        return ops.mean(ops.abs(distance), axis=-1)

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}


@serializable
class RelativeError(keras.losses.Loss):
    """An epsilon of 1e-8 is 0 in float16: a label of 0 divides by 0 there; vanvalenlab/deepcell-tf#490."""

    def call(self, y_true, y_pred):
        y_true = ops.cast(y_true, y_pred.dtype)
        return ops.mean(ops.abs(y_true - y_pred) / (ops.abs(y_true) + 1e-8), axis=-1)


@serializable
def box_and_class(y_true, y_pred):
    """Takes two outputs from a list, and Keras gives one output at a time; keras#20654."""
    box_true, class_true = y_true
    box_pred, class_pred = y_pred
    return keras.losses.mean_squared_error(box_true, box_pred) + keras.losses.categorical_crossentropy(class_true, class_pred)


class AsymmetricEntropy(keras.losses.Loss):
    """Registered nowhere: a model that was compiled with it does not load; colabtools#4753."""

    def __init__(self, power=2.0, name="asymmetric_entropy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.power = power

    def call(self, y_true, y_pred):
        p = ops.clip(y_pred, 1e-6, 1.0 - 1e-6)
        return -ops.mean(y_true * ops.log(p) + (1.0 - y_true) * p**self.power * ops.log(1.0 - p), axis=-1)

    def get_config(self):
        return {**super().get_config(), "power": self.power}


@serializable
class WrongSign(keras.losses.Loss):
    """A plus for a minus: lowest at the negative of the labels; found by a mutant, "asked for"."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true + y_pred), axis=-1)


BROKEN = [
    Broken(WrongSign, "L136", {"y_true": "float32[8,3](-2,2)", "y_pred": "float32[8,3](-2,2)"}),
    Broken(focal_of_chances, "L108", CHANCES),
    Broken(focal_of_chances, "L108"),
    Broken(ConfidencePenalty, "L108", CLASSES),
    Broken(histogram_divergence, "L000", CLASSES),
    Broken(Hellinger, "L112", CHANCES),
    Broken(PixelCrossentropy, "L134", MAPS),
    Broken(WeightedPixels, "L134", MAPS),
    Broken(DiceOfChances, "L122", MASKS),
    Broken(DiceOfChances, "L122"),
    Broken(TverskyOfLogits, "X113", MASKS),
    Broken(SmoothedEntropy, "X114", CLASSES),
    Broken(MarginError, "X114", {"y_true": "float32[8,3](-2,2)", "y_pred": "float32[8,3](-2,2)"}),
    Broken(RelativeError, "L113", {"y_true": "float32[8,3]{0,3}", "y_pred": "float32[8,3](-2,2)"}),
    Broken(box_and_class, "L135"),
    Broken(AsymmetricEntropy, "X109", CHANCES),
]
