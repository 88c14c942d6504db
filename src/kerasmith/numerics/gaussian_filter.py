"""Smoothing with a Gaussian window, without padding, one axis after the other."""

import functools
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasmith._types import Tensor
from kerasmith.numerics.tensors import static_shape


@functools.lru_cache(maxsize=64)
def gaussian_window(size: int, sigma: float) -> Any:
    """`size` weights exp(-d^2 / (2 sigma^2)) at distances d from the centre, of sum 1, as a float64 NumPy array."""
    distance = np.arange(size) - (size - 1) / 2
    window = np.exp(-(distance**2) / (2.0 * sigma**2))
    return window / window.sum()


def filter_valid(x: Tensor, windows: Any) -> Tensor:
    """Filters the spatial axes of `x` with one window each; only places where the whole window fits are kept.

    Args:
        x: (N, *spatial, C).
        windows: one 1-D NumPy array per spatial axis.

    Returns:
        (N, *smaller, C), each axis shorter by the length of its window minus 1.
    """
    for axis, window in enumerate(windows, start=1):
        if len(window) > 1:
            x = _filter_axis(x, axis, window)
        elif window[0] != 1.0:
            x = x * window[0]
    return x


def _filter_axis(x, axis, window):
    of_jax = keras.backend.backend() == "jax"
    if of_jax and None in static_shape(x, "x")[1:]:
        return _filter_symbolic(x, axis, window)
    shape = list(ops.shape(x))
    channels = shape[-1]
    # (everything before, the axis, everything between, channels): one 2-D routine serves images and volumes.
    outer = functools.reduce(lambda a, b: a * b, shape[:axis])
    inner = functools.reduce(lambda a, b: a * b, shape[axis + 1 : -1], 1)
    flat = ops.reshape(x, (outer, shape[axis], inner, channels))
    if of_jax:
        flat = _times_band(flat, window)
    else:
        kernel = np.broadcast_to(window[:, None, None, None], (len(window), 1, channels, 1))
        kernel = ops.convert_to_tensor(np.ascontiguousarray(kernel), dtype=x.dtype)
        flat = ops.depthwise_conv(flat, kernel, strides=1, padding="valid", data_format="channels_last")
    shape[axis] = shape[axis] - (len(window) - 1)
    return ops.reshape(flat, shape)


def _filter_symbolic(x, axis, window):
    """The same where sizes are JAX's symbols, while Keras infers shapes.

    A symbol may be less than the window: slices allow for that, "valid" and products of symbols do not.
    """
    import jax

    rank, channels = len(x.shape), x.shape[-1]
    kernel = np.reshape(window, [-1 if a == axis else 1 for a in range(1, rank - 1)] + [1, 1])
    kernel = np.repeat(kernel, channels, axis=-1)
    numbers = (0, rank - 1, *range(1, rank - 1))
    same = jax.lax.conv_general_dilated(
        x,
        jax.numpy.asarray(kernel, x.dtype),
        window_strides=(1,) * (rank - 2),
        padding="SAME",
        dimension_numbers=jax.lax.ConvDimensionNumbers(numbers, (rank - 1, rank - 2, *range(rank - 2)), numbers),
        feature_group_count=channels,
    )
    before = (len(window) - 1) // 2
    return same[(slice(None),) * axis + (slice(before, 1 + before - len(window) or None),)]


def _times_band(x, window):
    """The same as a product with a banded matrix: XLA's depthwise convolution on a CPU is up to 20 times slower."""
    import jax.numpy as jnp

    outer, size, inner, channels = x.shape  # a batch of unknown size is a symbol here, while Keras infers shapes
    band = jnp.asarray(_band(size, tuple(window)), x.dtype)
    # Full precision: some accelerators would round the factors to half precision first.
    return jnp.einsum("ij,njc->nic", band, x.reshape(outer, size, inner * channels), precision="highest")


@functools.lru_cache(maxsize=16)
def _band(size, window):
    rows = size - len(window) + 1
    band = np.zeros((rows, size))
    for offset, weight in enumerate(window):
        band[np.arange(rows), np.arange(rows) + offset] = weight
    return band
