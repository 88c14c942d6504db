"""Running totals that stay exact far beyond what one float32 or int32 can count.

A total is held in three float32 components along the first axis: units of 2**20, whole numbers below 2**20, and a fraction
below 1. Each component stays far from 2**24, where float32 stops counting, even when those of sixteen replicas are added:
totals are exact up to 2**40 without 64-bit types. Fractions carry an error below 2**-24 per addition.
"""

import keras
import numpy as np
from keras import ops

from kerasmith._types import Tensor

_UNIT = 2**20
_HALF = 2**12
_KILO = 2**10


def split(amount: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
    """The components of an amount, as three float32 tensors of its shape.

    Args:
        amount: integers, or floats that are exact below 2**24.
    """
    if "int" in str(amount.dtype):
        amount = _wide(amount)
        units = ops.floor_divide(amount, _UNIT)
        return ops.cast(units, "float32"), ops.cast(amount - units * _UNIT, "float32"), None
    amount = ops.cast(amount, "float32")
    whole = ops.floor(amount)
    units = ops.floor(whole / _UNIT)
    return units, whole - units * _UNIT, amount - whole


def _wide(integers):
    """Integers in a type of 32 bits at least, in which every backend can calculate."""
    kind = keras.backend.standardize_dtype(integers.dtype)
    if kind in ("int32", "int64") or (kind in ("uint32", "uint64") and keras.backend.backend() == "jax"):
        return integers
    return ops.cast(integers, "int64" if kind in ("uint32", "uint64") else "int32")


def split_sum(amounts: Tensor, weight: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor | None]:
    """The components of the sum over the first axis of `weight * amounts`.

    Args:
        amounts: (B, *shape), integers or floats.
        weight: float32 that broadcasts against `amounts`, or None. A weight of 0 leaves out even NaN.
    """
    integers = "int" in str(amounts.dtype)
    if weight is None and integers:
        # In three parts below 2**12, as the sum may need more than 32 bits.
        low = _wide(amounts)
        units = ops.floor_divide(low, _UNIT)
        low = low - units * _UNIT
        middle = ops.floor_divide(low, _KILO)
        low, middle, units = (ops.sum(x, axis=0) for x in (low - middle * _KILO, middle, units))
        carry = ops.floor_divide(middle, _KILO)
        above, rest, _ = split(low)
        rest = rest + ops.cast((middle - carry * _KILO) * _KILO, "float32")
        return ops.cast(units + carry, "float32") + above, rest, None
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
