"""Losses whose value or gradient is not finite, not there, or not the one of the formula."""

import keras
import numpy as np
from keras import ops

from tests.zoo.entries import Broken

serializable = keras.saving.register_keras_serializable(package="zoo.broken.losses_gradients")

BINARY_MASKS = {"y_true": "float32[4,8,8,1]{0,1}", "y_pred": "float32[4,8,8,1](0,1)"}
BINARY = {"y_true": "float32[4,1]{0,1}", "y_pred": "float32[4,1](0,1)"}
REGRESSION = {"y_true": "float32[4,3](-2,2)", "y_pred": "float32[4,3](-2,2)"}
CLASSES = {"y_true": "float32[4,5]onehot", "y_pred": "float32[4,5]simplex"}


@serializable
class NaiveFocal(keras.losses.Loss):
    """log(p) without a clip: NaN at p = 0 and p = 1; mkocabas/focal-loss-keras#17 and #5."""

    def __init__(self, gamma=2.0, **kwargs):
        super().__init__(**kwargs)
        self.gamma = gamma

    def call(self, y_true, y_pred):
        positive = y_true * ops.power(1 - y_pred, self.gamma) * ops.log(y_pred)
        negative = (1 - y_true) * ops.power(y_pred, self.gamma) * ops.log(1 - y_pred)
        return -ops.mean(positive + negative, axis=-1)

    def get_config(self):
        return {**super().get_config(), "gamma": self.gamma}


@serializable
def dice_without_smooth(y_true, y_pred):
    """0/0 where mask and prediction are both empty; jocpae/clDice#5 asks what the missing constant is for."""
    together = ops.sum(y_true * y_pred, axis=(1, 2, 3))
    return 1 - 2 * together / (ops.sum(y_true, axis=(1, 2, 3)) + ops.sum(y_pred, axis=(1, 2, 3)))


@serializable
def naive_log_cosh(y_true, y_pred):
    """cosh overflows for errors above 89: inf where |x| - log 2 is right; no thread, the textbook formula."""
    return ops.mean(ops.log((ops.exp(y_pred - y_true) + ops.exp(y_true - y_pred)) / 2), axis=-1)


@serializable
class NumPyMedianError(keras.losses.Loss):
    """Goes through NumPy: no gradient at all (and no compiled step); keras#16998, keras#9640."""

    def call(self, y_true, y_pred):
        error = ops.convert_to_numpy(ops.stop_gradient(y_pred)) - ops.convert_to_numpy(y_true)
        return ops.convert_to_tensor(np.median(np.abs(error), axis=-1))


@serializable
class ThresholdDice(keras.losses.Loss):
    """Dice of thresholded predictions: no gradient; page "Custom Gradients in TensorFlow 2.13" shows this code."""

    def call(self, y_true, y_pred):
        hard = ops.cast(y_pred > 0.5, self.dtype)
        together = ops.sum(y_true * hard, axis=(1, 2, 3))
        return 1 - (2 * together + 1) / (ops.sum(y_true, axis=(1, 2, 3)) + ops.sum(hard, axis=(1, 2, 3)) + 1)


@serializable
def wrong_class_rate(y_true, y_pred):
    """An error rate of argmax as loss: nothing to descend; keras-team/keras#3230 ("auc is not differentiable")."""
    wrong = ops.not_equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1))
    return ops.cast(wrong, "float32")


@serializable
def half_gradient_mse(y_true, y_pred):
    """One factor is detached: the value is the MSE, the gradient half of it; no thread, common slip."""
    error = y_pred - y_true
    return ops.mean(error * ops.stop_gradient(error), axis=-1)


@ops.custom_gradient
def _square(error):
    def grad(*args, upstream=None):
        (upstream,) = args if upstream is None else (upstream,)
        return -2.0 * upstream * ops.clip(error, -1.0, 1.0)

    return ops.square(error), grad


@serializable
def clipped_gradient_mse(y_true, y_pred):
    """A hand-written gradient with the wrong sign; the page "Custom Gradients in TensorFlow 2.13" teaches such gradients."""
    return ops.mean(_square(y_pred - y_true), axis=-1)


@serializable
def rmse(y_true, y_pred):
    """sqrt at 0: the value is finite, the gradient is NaN once one row fits; keras#6644, keras#1172."""
    return ops.sqrt(ops.mean(ops.square(y_pred - y_true), axis=-1))


@serializable
class MaskedDistance(keras.losses.Loss):
    """`where` hides sqrt(0) in the value and not in the gradient (NaN): the obvious repair of keras#9097."""

    def call(self, y_true, y_pred):
        squared = ops.sum(ops.square(y_pred - y_true), axis=-1)
        return ops.where(squared > 0, ops.sqrt(squared), ops.zeros_like(squared))


@serializable
class HalfDice(keras.losses.Loss):
    """Sums of a 320x320 mask pass 65504 in float16: NaN; tensorflow#45568, measured: "float16 Dice on 512x512"."""

    def call(self, y_true, y_pred):
        axes = (1, 2, 3)
        total = ops.sum(y_true, axis=axes) + ops.sum(y_pred, axis=axes)
        return 1 - (2 * ops.sum(y_true * y_pred, axis=axes) + 1) / (total + 1)


@serializable
class TinyEpsilonEntropy(keras.losses.Loss):
    """1e-8 is 0 in float16: log(0); keras#11832 ("need to set K.set_epsilon(1e-4)"), lisa-lab/DeepLearningTutorials PR 86."""

    def call(self, y_true, y_pred):
        return -ops.sum(y_true * ops.log(ops.maximum(y_pred, 1e-8)), axis=-1)


@serializable
def float32_labels_mse(y_true, y_pred):
    """Labels are cast to float32 whatever the predictions are: TensorFlow refuses float16 and float64; keras#11965."""
    return ops.mean(ops.square(ops.cast(y_true, "float32") - y_pred), axis=-1)


@serializable
def known_labels_mse(y_true, y_pred):
    """`where` hides NaN labels in the value, the gradient is NaN; the trap of jax-ml/jax#1052, tensorflow#2540."""
    squared = ops.square(y_true - y_pred)
    return ops.mean(ops.where(ops.isnan(squared), ops.zeros_like(squared), squared), axis=-1)


@serializable
class EpsilonDice(keras.losses.Loss):
    """A constant below the line only: an empty mask costs 1 whatever is predicted; asked for: "Focal Tversky loss", keras
    Dice."""

    def call(self, y_true, y_pred):
        y_true, y_pred = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        together = ops.sum(y_true * y_pred, axis=(1, 2, 3))
        return 1 - 2 * together / (ops.sum(y_true, axis=(1, 2, 3)) + ops.sum(y_pred, axis=(1, 2, 3)) + 1e-6)


BROKEN = [
    Broken(NaiveFocal, "L108", BINARY, {"gamma": 1.5}),
    Broken(dice_without_smooth, "L108", BINARY_MASKS),
    Broken(naive_log_cosh, "L108", REGRESSION),
    Broken(NumPyMedianError, "L110", REGRESSION, note="TensorFlow: eager only; JAX: raises"),
    Broken(ThresholdDice, "L110", BINARY_MASKS),
    Broken(wrong_class_rate, "L110", CLASSES),
    Broken(half_gradient_mse, "L111", REGRESSION),
    Broken(clipped_gradient_mse, "L111", REGRESSION),
    Broken(rmse, "L112", REGRESSION),
    Broken(
        MaskedDistance,
        "L112",
        REGRESSION,
        backends=("jax", "torch"),
        note="TensorFlow takes 0 / 0 for 0 in the gradient of sqrt",
    ),
    Broken(known_labels_mse, "L131", REGRESSION),
    Broken(EpsilonDice, "L132", BINARY_MASKS),
    Broken(HalfDice, "L113", {"y_true": "float32[2,320,320,1]{0,1}", "y_pred": "float32[2,320,320,1](0,1)"}),
    Broken(TinyEpsilonEntropy, "L113", CLASSES),
    Broken(float32_labels_mse, "L114", REGRESSION, backends=("tensorflow",)),
]
