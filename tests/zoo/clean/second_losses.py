"""A second handful of right losses in the styles of strangers."""

import keras
from keras import ops

from tests.zoo.entries import Right

serializable = keras.saving.register_keras_serializable(package="right_second_losses")


def make_focal(gamma=2.0):
    """A factory: the usual way to give a plain function parameters."""

    def focal_loss(y_true, y_pred):
        p = ops.clip(y_pred, 1e-4, 1.0 - 1e-4)
        pt = ops.where(y_true > 0.5, p, 1.0 - p)
        return -ops.mean(ops.power(1.0 - pt, gamma) * ops.log(pt), axis=-1)

    return focal_loss


@serializable
class ConcordanceLoss(keras.losses.Loss):
    """A correlation of the whole batch: one number, on purpose, undeclared."""

    def call(self, y_true, y_pred):
        a, b = y_true - ops.mean(y_true), y_pred - ops.mean(y_pred)
        both = ops.mean(a * b)
        return 1.0 - 2.0 * both / (ops.mean(a * a) + ops.mean(b * b) + ops.square(ops.mean(y_true) - ops.mean(y_pred)) + 1e-3)


@serializable
class HeatMapCentre(keras.losses.Loss):
    """A soft argmax over the pixels of each channel: a softmax over space is meant."""

    def call(self, y_true, y_pred):
        shape = ops.shape(y_pred)
        flat = ops.softmax(ops.reshape(y_pred, (shape[0], -1, shape[-1])), axis=1)
        goal = ops.reshape(y_true, (shape[0], -1, shape[-1]))
        return ops.mean(ops.square(flat - goal), axis=(1, 2))


@serializable
class LogitBalance(keras.losses.Loss):
    """Takes logits, and says so."""

    def call(self, y_true, y_pred):
        p = ops.sigmoid(y_pred)
        return 1.0 - (2.0 * ops.sum(y_true * p, axis=-1) + 1.0) / (ops.sum(y_true + p, axis=-1) + 1.0)


RIGHT = [
    Right(make_focal, {"y_true": "float32[8,1]{0,1}", "y_pred": "float32[8,1](0,1)"}, note="factory"),
    Right(ConcordanceLoss, {"y_true": "float32[8,1](-2,2)", "y_pred": "float32[8,1](-2,2)"}, note="a number of the batch"),
    Right(HeatMapCentre, {"y_true": "float32[2,6,6,3](0,1)", "y_pred": "float32[2,6,6,3](-2,2)"}, note="softmax over pixels"),
    Right(LogitBalance, {"y_true": "float32[4,8]{0,1}", "y_pred": "float32[4,8](-4,4)"}, note="for logits"),
]
