"""Running totals that stay exact far beyond what one float32 or int32 can count.

A total is held in three float32 components along the first axis: units of 2**20, whole numbers below 2**20, and a fraction
below 1. Each component stays far from 2**24, where float32 stops counting, even when those of sixteen replicas are added:
totals are exact up to 2**40 without 64-bit types. Fractions carry an error below 2**-24 per addition.
"""

import numpy as np
from keras import ops

from kerasmith._types import Tensor

_UNIT = 2**20
_HALF = 2**12


def split(amount: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
    """The components of an amount, as three float32 tensors of its shape.

    Args:
        amount: integers below 2**31, or floats that are exact below 2**24.
    """
    if "int" in str(amount.dtype):
        amount = ops.cast(amount, "int32")
        units = ops.floor_divide(amount, _UNIT)
        return ops.cast(units, "float32"), ops.cast(amount - units * _UNIT, "float32"), None
    amount = ops.cast(amount, "float32")
    whole = ops.floor(amount)
    units = ops.floor(whole / _UNIT)
    return units, whole - units * _UNIT, amount - whole


def split_sum(amounts: Tensor, weight: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor | None]:
    """The components of the sum over the first axis of `weight * amounts`.

    Args:
        amounts: (B, *shape), integers or floats.
        weight: float32 that broadcasts against `amounts`, or None. A weight of 0 leaves out even NaN.
    """
    integers = "int" in str(amounts.dtype)
    if weight is None and integers:
        return split(ops.sum(ops.cast(amounts, "int32"), axis=0))
    if not integers:
        parts = (ops.cast(amounts, "float32"),)
    else:  # in two parts below 2**24, of which whole weights make exact products
        high = ops.floor_divide(amounts, _HALF)
        parts = (ops.cast(high, "float32") * _HALF, ops.cast(amounts - high * _HALF, "float32"))
    total = None
    for part in parts:
        if weight is not None:
            part = ops.where(weight == 0, 0.0, part * weight)
        whole = ops.floor(part)  # sums of whole numbers do not round
        units, rest, _ = split(ops.sum(whole, axis=0))
        components = (units, rest, ops.sum(part - whole, axis=0))
        total = components if total is None else tuple(a + b for a, b in zip(total, components))
    return total


def add(components: Tensor, amount: Tensor) -> Tensor:
    """The components of `total + amount`.

    Args:
        components: (3, *shape) float32.
        amount: what `split` or `split_sum` gave.
    """
    units, whole, fraction = amount
    whole = components[1] + whole
    if fraction is None:
        fraction = components[2]
    else:
        fraction = components[2] + fraction
        carry = ops.floor(fraction)
        fraction, whole = fraction - carry, whole + carry
    carry = ops.floor(whole / _UNIT)
    return ops.stack([components[0] + units + carry, whole - carry * _UNIT, fraction])


def value(components: Tensor) -> Tensor:
    """The total as a tensor, rounded to float32 once."""
    return components[0] * _UNIT + (components[1] + components[2])


def exact_value(components: Tensor) -> np.ndarray:
    """The total as a float64 NumPy array."""
    components = np.asarray(ops.convert_to_numpy(components), "float64")
    return components[0] * _UNIT + components[1] + components[2]
