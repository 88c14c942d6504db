"""What a tensor is, without computing on it: rank, static shape, dtype; and its entries repeated."""

import numbers
from collections.abc import Callable

import keras
from keras import ops

from kerasmith import _moved
from kerasmith._types import DType, Tensor
from kerasmith.numerics.inputs import refuse_other_forms

__getattr__: Callable[[str], object] = _moved.renamed(
    "kerasmith.numerics.tensors",
    {name: f"kerasmith.keras_internals.tensors.{name}" for name in ("keras_mask", "is_concrete", "compiled_by_xla")},
)


def static_shape(x: Tensor, what: str) -> tuple[int | None, ...]:
    """The shape of `x` as a tuple with None for unknown sizes; a tensor of unknown rank is refused."""
    if not hasattr(x, "shape"):
        refuse_other_forms(x, what)
    try:
        shape = tuple(x.shape)
    except ValueError as error:  # tf.TensorShape of unknown rank
        raise ValueError(
            f"{what} has unknown rank, so its batch and channel axes cannot be told apart. "
            f"Write `tf.ensure_shape({what}, (None, ...))` at the end of the data pipeline."
        ) from error
    return tuple(int(size) if isinstance(size, numbers.Integral) else None for size in shape)


def compatible(shape_a: tuple[int | None, ...], shape_b: tuple[int | None, ...]) -> bool:
    """True if two static shapes agree in rank and in every size that both know."""
    return len(shape_a) == len(shape_b) and all(a is None or b is None or a == b for a, b in zip(shape_a, shape_b))


def is_float(x: Tensor) -> bool:
    """True if `x` holds floating point numbers."""
    return "float" in keras.backend.standardize_dtype(x.dtype)


def accumulation_dtype(dtype: DType) -> str:
    """The dtype in which sums are taken: float64 for float64, float32 for everything else."""
    return "float64" if keras.backend.standardize_dtype(dtype) == "float64" else "float32"


def repeat_each(x: Tensor, times: int) -> Tensor:
    """(N, ...) -> (N * times, ...): each entry of the first axis so many times in a row.

    `ops.repeat` cannot be traced on PyTorch's device for shapes.
    """
    shape = ops.shape(x)
    return ops.reshape(ops.broadcast_to(ops.expand_dims(x, 1), (shape[0], times, *shape[1:])), (-1, *shape[1:]))
