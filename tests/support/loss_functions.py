"""One loss, three ways to write it: a function, a function that makes it, a class. Mean square plus a pull to 0."""

import keras
from keras import ops

from kerasmith.base import Loss, PerSample

register = keras.saving.register_keras_serializable("tests")


@register
def pulled(y_true, y_pred, factor=1.0):
    return ops.sum(ops.square(y_true - y_pred) + factor * ops.abs(y_pred), axis=-1) / y_pred.shape[-1]


@register
def make_pulled(factor=1.0):
    def loss(y_true, y_pred):
        return pulled(y_true, y_pred, factor)

    return loss


@register
def excess(y_true, y_pred):
    """How far the area of a mask exceeds that of the labels."""
    axes = tuple(range(1, len(y_pred.shape)))
    return (ops.sum(y_pred, axis=axes) - ops.sum(y_true, axis=axes)) / 100


def to_one_number(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred))


@register
class Pulled(Loss):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def per_sample(self, y_true, y_pred, weights):
        return PerSample(pulled(y_true, y_pred, self.factor))
