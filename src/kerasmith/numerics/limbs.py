"""Running totals that stay exact far beyond what one float32 or int32 can count.

A total is held as three float32 limbs along the first axis: units of 2**20, whole numbers below 2**20, and a fraction below 1.
Each limb stays far from 2**24, where float32 stops counting, even when the limbs of sixteen replicas are added: totals are
exact up to 2**40 without 64-bit types. Fractions carry an error below 2**-24 per addition.
"""

import numpy as np
from keras import ops

_UNIT = 2**20
_HALF = 2**12


def add(limbs, amount):
    """The limbs of `total + amount`.

    Args:
        limbs: (3, *shape) float32.
        amount: (*shape); integers, or floats that are exact below 2**24.
    """
    dtype = limbs.dtype
    if "int" in str(amount.dtype):
        amount = ops.cast(amount, "int32")
        units = ops.floor_divide(amount, _UNIT)
        whole = ops.cast(amount - units * _UNIT, dtype)
        units = ops.cast(units, dtype)
        fraction = limbs[2]
    else:
        amount = ops.cast(amount, dtype)
        whole = ops.floor(amount)
        fraction = limbs[2] + (amount - whole)
        units = ops.floor(whole / _UNIT)
        whole = whole - units * _UNIT
    carry = ops.floor(fraction)
    fraction = fraction - carry
    whole = limbs[1] + whole + carry
    carry = ops.floor(whole / _UNIT)
    return ops.stack([limbs[0] + units + carry, whole - carry * _UNIT, fraction])


def summands(amounts):
    """Float32 tensors with the sum `amounts`, each so small that adding up thousands of them, times whole weights, is exact.

    Args:
        amounts: integers below 2**31, or floats, which stay as they are.
    """
    if "int" not in str(amounts.dtype):
        return (ops.cast(amounts, "float32"),)
    high = ops.floor_divide(amounts, _HALF)
    return ops.cast(high, "float32") * _HALF, ops.cast(amounts - high * _HALF, "float32")


def value(limbs):
    """The total as a tensor, rounded to float32 once."""
    return limbs[0] * _UNIT + (limbs[1] + limbs[2])


def exact_value(limbs):
    """The total as a float64 NumPy array."""
    limbs = np.asarray(ops.convert_to_numpy(limbs), "float64")
    return limbs[0] * _UNIT + limbs[1] + limbs[2]
