"""Sums over pixels, as fast as memory allows on each backend."""

import functools

import keras
from keras import ops

from kerasmith.numerics.tensors import static_shape


def inner_and_sums(p, y, y_weighted, class_axis):
    """sum(p * y), sum(p) and sum(y_weighted) over the pixels, (B, C) each, with C = 1 if `class_axis` is None.

    Three plain reductions, left to automatic differentiation: the gradient is A y + B with two numbers per image and class,
    so no array beyond it is ever needed.

    Args:
        p, y, y_weighted: (B, N) if `class_axis` is None, (B, C, N) if it is 1, (B, N, C) if it is 2.
        class_axis: None, 1 or 2.
    """
    return tuple(pixel_sum(x, class_axis, keepdims=class_axis is None) for x in (p * y, p, y_weighted))


def pixel_sum(x, class_axis=None, keepdims=False):
    """The sum over the pixels: (B, N) -> (B,) or, with `keepdims`, (B, 1); (B, C, N) or (B, N, C) -> (B, C).

    A sum over the middle axis of (B, N, C) is slow, C numbers at a time; rows of 16 pixels, (B, N / 16, 16 C), make the vectors
    long. JAX also needs blocks of rows, (B, K, R, 16 C): its XLA walks through all of memory once for each number of a row.
    """
    shape = static_shape(x, "pixels")
    blocks = None if class_axis == 1 else _blocks(x, shape)
    if blocks is None:
        return ops.sum(x, axis=2 if class_axis == 1 else 1, keepdims=keepdims)
    x = ops.sum(ops.sum(ops.reshape(x, (-1, *blocks)), axis=2), axis=1)
    if class_axis is None:
        return ops.sum(x, axis=1, keepdims=keepdims)
    return ops.sum(ops.reshape(x, (-1, blocks[-1] // shape[2], shape[2])), axis=1)


def pixel_mean(x):
    """The mean over the pixels, (B, N) -> (B,)."""
    return pixel_sum(x) / ops.cast(ops.shape(x)[1], x.dtype)


def _blocks(x, shape):
    """(K, R, 16 C), or None where the plain sum is as fast, or the number of pixels is unknown or has no such divisors."""
    pixels, channels = shape[1], shape[2] if len(shape) == 3 else 1
    backend = keras.backend.backend()
    if not pixels or (channels == 1 and backend != "jax") or (backend == "torch" and not x.is_contiguous()):
        return None
    row = _largest_divisor(pixels, 16)
    rows = _largest_divisor(pixels // row, 64) if backend == "jax" else pixels // row
    return None if row == 1 else (pixels // (row * rows), rows, row * channels)


@functools.lru_cache(maxsize=256)
def _largest_divisor(number, limit):
    return max(d for d in range(1, limit + 1) if number % d == 0)
