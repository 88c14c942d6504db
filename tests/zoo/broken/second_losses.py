"""A second handful of strangers' losses, asked once the checks of the first were written: by kinds or by examples?"""

import keras
from keras import ops

from tests.zoo.entries import Broken

serializable = keras.saving.register_keras_serializable(package="zoo.broken.second_losses")

CHANCES = {"y_true": "float32[8,1]{0,1}", "y_pred": "float32[8,1](0,1)"}
VOLUMES = {"y_true": "int32[2,4,4,4]{0,2}", "y_pred": "float32[2,4,4,4,3](-3,3)"}


@serializable
def odds_error(y_true, y_pred):
    """p / (1 - p) where p may be exactly 1; "asked for"."""
    return ops.mean(ops.abs(y_pred / (1.0 - y_pred) - y_true), axis=-1)


@serializable
class VolumeEntropy(keras.losses.Loss):
    """softmax over the depth of a volume; keras#9307 for images."""

    def call(self, y_true, y_pred):
        chances = keras.activations.softmax(y_pred, axis=3)
        return ops.mean(keras.losses.sparse_categorical_crossentropy(y_true, chances), axis=(1, 2, 3))


@serializable
class JaccardOfChances(keras.losses.Loss):
    """A sigmoid by hand inside of an overlap; "asked for"."""

    def call(self, y_true, y_pred):
        p = 1.0 / (1.0 + ops.exp(-y_pred))
        both = ops.sum(y_true * p, axis=(1, 2, 3))
        return 1.0 - (both + 1.0) / (ops.sum(y_true + p, axis=(1, 2, 3)) - both + 1.0)


@serializable
class SmoothL1(keras.losses.Loss):
    """`delta` is overwritten by a constant before it is used; "asked for"."""

    def __init__(self, delta=1.0, name="smooth_l1", **kwargs):
        super().__init__(name=name, **kwargs)
        self.delta = delta

    def call(self, y_true, y_pred):
        error = ops.abs(y_true - y_pred)
        border = 1.0 + 0.0 * self.delta
        return ops.mean(ops.where(error < border, 0.5 * error * error, error - 0.5), axis=-1)

    def get_config(self):
        return {**super().get_config(), "delta": self.delta}


@serializable
def heads(y_true, y_pred):
    """A dict of outputs; keras#14140."""
    return ops.mean(ops.square(y_true["near"] - y_pred["near"]), axis=-1) + ops.mean(
        ops.abs(y_true["far"] - y_pred["far"]), axis=-1
    )


BROKEN = [
    Broken(odds_error, "L108", CHANCES),
    Broken(VolumeEntropy, "L134", VOLUMES),
    Broken(JaccardOfChances, "L122", {"y_true": "float32[4,8,8,1]{0,1}", "y_pred": "float32[4,8,8,1](0,1)"}),
    Broken(SmoothL1, "X114", {"y_true": "float32[8,3](-2,2)", "y_pred": "float32[8,3](-2,2)"}),
    Broken(heads, "L135"),
]
