"""A loss of Keras as a kerasmith loss."""

import keras
from keras import ops

from kerasmith._types import Config, DType, Tensor
from kerasmith.base.configured import register
from kerasmith.base.elements import in_one_dtype, per_sample_mean, without_unused
from kerasmith.base.loss import Loss, PerSample
from kerasmith.base.weights import Weights
from kerasmith.keras_internals.compiled import forgotten_arguments
from kerasmith.labels.alignment import align, check_batch

# The others compare labels and predictions of one shape, and would broadcast.
_OF_OTHER_SHAPES = (keras.losses.SparseCategoricalCrossentropy, keras.losses.CTC, keras.losses.Circle)


@register
class KerasLoss(Loss):
    """Any loss of Keras, with kerasmith's weights, masks and algebra.

    The value is that of `loss(y_true, y_pred)`; sample weights (B,) reach images too, where Keras' own fail or weigh columns.

    Args:
        loss: an instance of `keras.losses.Loss`, or a name that `keras.losses.get` knows.
        reduction, name, dtype: those of `loss` by default.

    Raises:
        TypeError: if `loss` is something else; a function goes through `losses.from_function`.
        ValueError: for shapes that would broadcast; for weights, if `loss` gives one number for the whole batch, as
            `keras.losses.Dice` does.

    Example:

    >>> from kerasmith.losses import Dice
    >>> loss = 0.5 * KerasLoss("mse") + Dice()
    >>> loss.term_names
    ('mean_squared_error', 'dice')
    """

    def __init__(
        self, loss: keras.losses.Loss | str, *, reduction: str | None = "of_loss", name: str | None = None, dtype: DType = None
    ) -> None:
        loss = keras.losses.get(loss) if isinstance(loss, str) else loss
        if callable(loss) and not isinstance(loss, keras.losses.Loss):
            loss = _class_of_function(loss)
        if not isinstance(loss, keras.losses.Loss):
            raise TypeError(
                "`loss` must be a loss of Keras or its name; a function of your own goes through "
                f"`kerasmith.losses.from_function(fn)`. Received: loss={loss!r}"
            )
        super().__init__(
            reduction=loss.reduction if reduction == "of_loss" else reduction,
            name=name or loss.name,
            dtype=dtype or loss.dtype,
        )
        self.loss = loss

    def get_config(self) -> Config:
        inner = keras.saving.serialize_keras_object(self.loss)
        inner["config"].update(forgotten_arguments(self.loss))
        return {**super().get_config(), "loss": inner}

    def per_sample(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> PerSample:
        check_batch(y_true, y_pred)
        y_true, y_pred = in_one_dtype(y_true, y_pred)
        if not isinstance(self.loss, _OF_OTHER_SHAPES):
            y_true = without_unused(align(y_true, y_pred), weights)
            if len(y_pred.shape) == 1:  # Keras takes the mean over the last axis
                y_true, y_pred = ops.expand_dims(y_true, -1), ops.expand_dims(y_pred, -1)
        values = self.loss.call(y_true, y_pred)
        if len(values.shape) > 0:
            return PerSample(*per_sample_mean(values, weights, total=self.loss.reduction == "sum"))
        if any(weight is not None for weight in (weights.sample, weights.pixel, weights.valid_sample, weights.valid_pixel)):
            raise ValueError(
                f"{type(self.loss).__name__} gives one number for the whole batch, so weights and masks cannot reach a "
                "sample. Use a loss of kerasmith.losses instead, or train without weights."
            )
        return PerSample(ops.broadcast_to(values, ops.shape(y_pred)[:1]))


def _class_of_function(function):
    """Keras' own loss object of one of its functions, `keras.losses.mse` -> `MeanSquaredError()`."""
    name = "".join(word.capitalize() for word in getattr(function, "__name__", "").split("_"))
    known = getattr(keras.losses, name, None)
    return known() if isinstance(known, type) and getattr(keras.losses, function.__name__, None) is function else function
