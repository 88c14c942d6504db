"""Losses that look like those of the third corpus and are right: exponentials of outputs, integers that are meant."""

import keras
from keras import ops

from tests.zoo.entries import Right

serializable = keras.saving.register_keras_serializable(package="right_third_losses")


@serializable
class PoissonOfLogRate(keras.losses.Loss):
    """exp(100) is larger than float32 holds, whatever the formula."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.exp(y_pred) - ops.cast(y_true, y_pred.dtype) * y_pred, axis=-1)


@serializable
class RoundedLabels(keras.losses.Loss):
    """Labels between whole numbers go to the next one."""

    def call(self, y_true, y_pred):
        y_true = ops.cast(ops.cast(ops.round(y_true), "int32"), y_pred.dtype)
        return ops.mean(ops.square(y_true - y_pred), axis=-1)


@serializable
class PixelCrossEntropy(keras.losses.Loss):
    """One-hot (batch, height, width, classes) against logits of that shape."""

    def call(self, y_true, y_pred):
        return -ops.mean(ops.sum(y_true * ops.log_softmax(y_pred, axis=3), axis=-1), axis=(1, 2))


RIGHT = [Right(PoissonOfLogRate), Right(RoundedLabels), Right(PixelCrossEntropy)]
