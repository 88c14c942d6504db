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
    if class_axis is None:
        return tuple(ops.sum(x, axis=1, keepdims=True) for x in (p * y, p, y_weighted))
    if class_axis == 1:
        return tuple(ops.sum(x, axis=2) for x in (p * y, p, y_weighted))
    return tuple(_sum_of_rows(x) for x in (p * y, p, y_weighted))


def _sum_of_rows(x):
    """(B, N, C) -> (B, C).

    A sum over the middle axis works on C numbers at a time. Rows of 16 pixels, (B, N / 16, 16 C), make the vectors long; JAX
    also needs blocks of rows, (B, K, R, 16 C): its XLA walks through all of memory once for each number of a row.
    """
    _, pixels, channels = static_shape(x, "pixels")
    backend = keras.backend.backend()
    row = _largest_divisor(pixels, 16) if pixels else 1
    if row == 1 or (backend == "torch" and not x.is_contiguous()):
        return ops.sum(x, axis=1)
    rows = _largest_divisor(pixels // row, 64) if backend == "jax" else pixels // row
    x = ops.reshape(x, (-1, pixels // (row * rows), rows, row * channels))
    x = ops.sum(ops.sum(x, axis=2), axis=1)
    return ops.sum(ops.reshape(x, (-1, row, channels)), axis=1)


@functools.lru_cache(maxsize=256)
def _largest_divisor(number, limit):
    return max(d for d in range(1, limit + 1) if number % d == 0)
