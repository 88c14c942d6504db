"""Losses that fail, or are NaN, on the inputs that they are made for."""

import keras
from keras import ops

from tests.zoo.entries import Broken

serializable = keras.saving.register_keras_serializable(package="zoo.broken.losses_first_call")

REGRESSION = {"y_true": "float32[4,3](-2,2)", "y_pred": "float32[4,3](-2,2)"}


@serializable
class OldBackendMSE(keras.losses.Loss):
    """`keras.backend.mean` is gone in Keras 3: fails in the first call; Keras' migration guide lists the names."""

    def call(self, y_true, y_pred):
        return keras.backend.mean(keras.backend.square(y_true - y_pred), axis=-1)


@serializable
def log_error(y_true, y_pred):
    """A logarithm of differences, half of which are negative: NaN in the first step; no thread, constructed."""
    return ops.mean(ops.square(ops.log(y_true - y_pred)), axis=-1)


BROKEN = [Broken(OldBackendMSE, "L000", REGRESSION), Broken(log_error, "L000", REGRESSION)]
