"""Targets in the shape of predictions, without broadcasting."""

from keras import ops

from kerasmith._types import Tensor
from kerasmith.numerics.tensors import compatible, static_shape


def align(y_true: Tensor, y_pred: Tensor, what: str = "y_pred") -> Tensor:
    """`y_true` in the shape of `y_pred`: a trailing 1 that only one of them has is added or dropped.

    Args:
        y_true: targets.
        y_pred: what they are compared with, element by element.
        what: what `y_pred` is, for the error.

    Raises:
        ValueError: for any other difference of shapes; they would broadcast.
    """
    given, wanted = static_shape(y_true, "y_true"), static_shape(y_pred, what)
    if compatible(given, wanted):
        if any(a != b and 1 in (a, b) for a, b in zip(given[1:], wanted[1:])):
            # One size is 1, the other is known at run time only: a reshape fails there where a sum would broadcast.
            return ops.reshape(y_true, ops.shape(y_pred))
        return y_true
    if given[-1:] == (1,) and compatible(given[:-1], wanted):
        return ops.squeeze(y_true, -1)
    if wanted[-1:] == (1,) and compatible(given, wanted[:-1]):
        return ops.expand_dims(y_true, -1)
    raise ValueError(
        f"y_true of shape {given} does not fit {what} of shape {wanted}: they would broadcast. Expected one target for each "
        "prediction, in the same shape (a trailing 1 may differ). Integer class ids belong to `losses.CrossEntropy`; write "
        "`keras.ops.one_hot(y_true, num_classes)` to compare them element by element."
    )


def check_batch(y_true: Tensor, y_pred: Tensor) -> None:
    """Raises ValueError if `y_true` and `y_pred` are known to hold different numbers of samples."""
    given, wanted = static_shape(y_true, "y_true"), static_shape(y_pred, "y_pred")
    if not compatible(given[:1], wanted[:1]):
        raise ValueError(
            f"y_true of shape {given} and y_pred of shape {wanted} must hold the same number of samples; they would broadcast."
        )
