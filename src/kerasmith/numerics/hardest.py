"""The mean over the pixels with the largest losses."""

import math
import numbers
from typing import Any

import keras
from keras import ops

from kerasmith._types import Tensor


def check_hardest(name: str, k: Any) -> None:
    """Raises TypeError or ValueError unless `k` is None, a whole number >= 1 or a share in (0, 1]."""
    if k is None:
        return
    if isinstance(k, bool) or not isinstance(k, numbers.Real):
        raise TypeError(f"`{name}` must be a number. Received: {name}={k!r} of type {type(k).__name__}")
    whole = isinstance(k, numbers.Integral)
    if not ((whole and k >= 1) or (not whole and 0 < k <= 1)):
        raise ValueError(
            f"`{name}` must be a whole number >= 1 of pixels, or a share of them above 0 and up to 1. Received: {name}={k!r}"
        )


def mean_of_hardest(losses: Tensor, weight: Tensor, valid: Tensor, k: float) -> tuple[Tensor, Tensor | None]:
    """Mean of the k largest weighted losses of each row, and the mean weight among them.

    Args:
        losses: (B, N).
        weight: (B, N) weights or None; the ranking is that of weight * loss.
        valid: (B, N), 1 on pixels that can count, or None; `weight` is 0 on the others.
        k: a number of pixels (int), or a share of the valid ones, rounded up.

    Returns:
        (B,) and (B,); the second is None without weights.
    """
    given = None if weight is valid else weight
    size = ops.shape(losses)[1]
    weighted = losses if weight is None else losses * weight
    ranked = weighted if valid is None else ops.where(valid > 0, weighted, -1.0)  # behind every loss, 0 included
    if keras.backend.backend() == "jax" and not isinstance(size, int):  # a symbol, of which no share can be taken
        valid, most = ops.ones_like(losses) if valid is None else valid, size
    else:
        most = _at_most(k, size)
    value, index = ops.top_k(ranked, most)
    if valid is None:
        share = ops.cast(most, losses.dtype)
        return ops.sum(value, axis=1) / share, _mean_weight(given, index, None, share)
    number = ops.sum(ops.cast(valid > 0, losses.dtype), axis=1, keepdims=True)
    # One share of the valid pixels of each row: float32 rounds .1 * 30 up, so a hair is taken off first.
    wanted = ops.ceil(number * k - 1e-3) if isinstance(k, float) else ops.minimum(number, float(k))
    counted = ops.cast(ops.cast(ops.arange(most), losses.dtype) < wanted, losses.dtype)
    share = ops.maximum(wanted[:, 0], 1.0)
    return ops.sum(value * counted, axis=1) / share, _mean_weight(given, index, counted, share)


def _at_most(k, size):
    """k in pixels, as far as the row reaches; a tensor where TensorFlow does not know the size."""
    if isinstance(size, int):
        return min(k, size) if not isinstance(k, float) else math.ceil(size * k - 1e-3)
    if not isinstance(k, float):
        return ops.minimum(size, k)
    return ops.cast(ops.ceil(ops.cast(size, "float32") * k - 1e-3), "int32")


def _mean_weight(weight, index, counted, share):
    if weight is None:
        return None
    chosen = ops.take_along_axis(weight, index, axis=1)
    return ops.sum(chosen if counted is None else chosen * counted, axis=1) / share
