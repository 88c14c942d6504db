"""One loss in the three forms in which people write theirs: a function, a function that makes one, a class.

    -sum_c t_c log p_c,   t = (1 - smoothing) onehot(y) + smoothing / C

This is the cross-entropy of probabilities p with smoothed labels. Models that were compiled with any of the three are saved,
and are loaded where this module was imported.
"""

from typing import Any

import keras
from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.losses import from_function

SMOOTHING = 0.1
_PACKAGE = "kerasmith_demo"


@keras.saving.register_keras_serializable(_PACKAGE)
def smoothed(y_true: Tensor, y_pred: Tensor, smoothing: float) -> Tensor:
    """A function of labels (B,) and probabilities (B, C) that gives one value a sample."""
    classes = y_pred.shape[-1]
    labels = ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), classes, dtype=y_pred.dtype)
    labels = (1 - smoothing) * labels + smoothing / classes
    return -ops.sum(labels * ops.log(ops.clip(y_pred, 1e-7, 1.0)), axis=-1)


@keras.saving.register_keras_serializable(_PACKAGE)
def make_smoothed(smoothing: float) -> Function:
    """A function that makes the loss and keeps the smoothing in it: a closure."""

    def loss(y_true, y_pred):
        return smoothed(y_true, y_pred, smoothing)

    return loss


@keras.saving.register_keras_serializable(_PACKAGE)
class Smoothed(keras.losses.Loss):
    """A class, as Keras documents it; `get_config` is what a saved model keeps of it."""

    def __init__(self, smoothing: float = SMOOTHING, name: str = "smoothed", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.smoothing = smoothing

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return smoothed(y_true, y_pred, self.smoothing)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "smoothing": self.smoothing}


def three_forms(smoothing: float = SMOOTHING) -> dict[str, keras.losses.Loss]:
    """{form: loss}: each can be given to `compile`, and they give one number.

    >>> digits, probabilities = keras.ops.array([1]), keras.ops.array([[0.2, 0.8]])
    >>> values = [float(loss(digits, probabilities)) for loss in three_forms().values()]
    >>> [round(value, 4) for value in values]
    [0.2925, 0.2925, 0.2925]
    """
    return {
        "function": from_function(smoothed, smoothing=smoothing),
        "closure": from_function(make_smoothed, smoothing=smoothing),
        "class": Smoothed(smoothing),
    }
