"""From losses of single elements to one value per sample, with weights and masks inside."""

import math

from keras import ops

from kerasmith._types import Tensor
from kerasmith.base.weights import Weights
from kerasmith.numerics.tensors import accumulation_dtype, static_shape


def in_one_dtype(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Labels and predictions in the dtype of sums."""
    dtype = accumulation_dtype(y_pred.dtype)
    return ops.cast(y_true, dtype), ops.cast(y_pred, dtype)


def per_sample_mean(values: Tensor, weights: Weights, *, total: bool = False) -> tuple[Tensor, Tensor | None]:
    """(B, ...) losses -> (B,) means over the valid elements, and the mean weight inside them (None for 1).

    value = sum(w l) / (number of valid elements); with `total`, sum(w l).

    Args:
        values: losses of elements, (B, ...).
        weights: `Weights` of the call; pixel weights of shape (B, *spatial) weigh all that `values` holds at one place,
            those of targets one element each.
        total: sum over the elements instead of the mean.
    """
    dtype = accumulation_dtype(values.dtype)
    values = ops.cast(values, dtype)
    given = weights.pixel if weights.target is None else weights.target
    weight, valid = (None if w is None else _fitted(ops.cast(w, dtype), values) for w in (given, weights.valid_pixel))
    for factor in (weight, valid):
        # A masked element may hold anything, also NaN.
        values = values if factor is None else ops.where(factor == 0, ops.zeros_like(values), values * factor)
    axes = tuple(range(1, len(values.shape)))
    summed = ops.sum(values, axis=axes) if axes else values
    if total:
        return summed, None
    if valid is None and weight is None:
        return summed / _number_of_elements(values), None
    ones = ops.ones_like(values)
    count = ops.maximum(ops.sum(ones if valid is None else ones * valid, axis=axes), 1.0)
    inside = ones
    for factor in (weight, valid):
        inside = inside if factor is None else inside * factor
    return summed / count, ops.sum(inside, axis=axes) / count


def _number_of_elements(values):
    sizes = static_shape(values, "values")[1:]
    return ops.cast(ops.prod(ops.shape(values)[1:]), values.dtype) if None in sizes else max(math.prod(sizes), 1)


def without_unused(y_true: Tensor, weights: Weights) -> Tensor:
    """Targets with 0 where a weight is 0: a NaN there would reach the gradient, even multiplied by 0."""
    for weight in (weights.sample, weights.valid_sample, weights.pixel, weights.valid_pixel, weights.target):
        if weight is not None and len(weight.shape) > 0:
            weight = ops.reshape(weight, (*ops.shape(weight), *(1,) * (len(y_true.shape) - len(weight.shape))))
            y_true = ops.where(weight == 0, ops.zeros_like(y_true), y_true)
    return y_true


def _fitted(weight, values):
    """Weights of places, with a trailing axis for every axis of `values` that is not a place."""
    missing = len(values.shape) - len(weight.shape)
    if missing < 0:
        raise ValueError(
            f"Weights of shape {static_shape(weight, 'sample_weight')} speak of single elements, but the loss has values of "
            f"shape {static_shape(values, 'values')}. Expected one weight a sample, (B,)."
        )
    return ops.reshape(weight, (*ops.shape(weight), *(1,) * missing))
