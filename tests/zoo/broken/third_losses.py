"""Losses of a third blind corpus, in the ways of public code: labels cut to integers, classes beside the last axis."""

import keras
from keras import ops

from tests.zoo.entries import Broken

serializable = keras.saving.register_keras_serializable(package="zoo.broken.third_losses")


@serializable
class SmoothBinary(keras.losses.Loss):
    """Takes smoothed labels and indexes with them as integers."""

    def call(self, y_true, y_pred):
        y_true = ops.cast(ops.cast(y_true, "int32"), y_pred.dtype)
        p = ops.clip(y_pred, 1e-3, 1 - 1e-3)
        return ops.mean(-y_true * ops.log(p) - (1 - y_true) * ops.log(1 - p), axis=-1)


@serializable
class CountError(keras.losses.Loss):
    """Counts are whole numbers, the author says; densities are not."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(ops.cast(ops.cast(y_true, "int64"), y_pred.dtype) - y_pred), axis=-1)


@serializable
class TokenCrossEntropy(keras.losses.Loss):
    """y_true: one-hot (batch, time, vocab); y_pred: logits (batch, time, vocab)."""

    def call(self, y_true, y_pred):
        return -ops.mean(ops.sum(y_true * ops.log_softmax(y_pred, axis=1), axis=-1), axis=-1)


@serializable
class TissueCrossEntropy(keras.losses.Loss):
    """Ids [batch, height, width] against logits [batch, height, width, classes]."""

    def call(self, y_true, y_pred):
        hot = ops.one_hot(ops.cast(y_true, "int32"), y_pred.shape[-1], dtype=y_pred.dtype)
        share = ops.softmax(y_pred, axis=-2)
        return -ops.mean(ops.sum(hot * ops.log(share + 1e-6), axis=-1), axis=(1, 2))


@serializable
class NaiveSoftplus(keras.losses.Loss):
    """log(1 + exp(x)) is 100 at 100, and not in float32."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.log(1 + ops.exp(y_pred)) - y_true * y_pred, axis=-1)


BROKEN = [
    Broken(SmoothBinary, check="L137"),
    Broken(CountError, check="L137"),
    Broken(TokenCrossEntropy, check="L134"),
    Broken(TissueCrossEntropy, check="L134"),
    Broken(NaiveSoftplus, check="L108", like={"y_true": "float32[8,1]{0,1}", "y_pred": "float32[8,1](-4,4)"}),
]
