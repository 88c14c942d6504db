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
    shape = list(ops.shape(x))
    channels = shape[-1]
    # (everything before, the axis, everything between, channels): one 2-D routine serves images and volumes.
    outer = functools.reduce(lambda a, b: a * b, shape[:axis])
    inner = functools.reduce(lambda a, b: a * b, shape[axis + 1 : -1], 1)
    flat = ops.reshape(x, (outer, shape[axis], inner, channels))
    if keras.backend.backend() == "jax":
        flat = _times_band(flat, window)
    else:
        kernel = np.broadcast_to(window[:, None, None, None], (len(window), 1, channels, 1))
        kernel = ops.convert_to_tensor(np.ascontiguousarray(kernel), dtype=x.dtype)
        flat = ops.depthwise_conv(flat, kernel, strides=1, padding="valid", data_format="channels_last")
    shape[axis] = shape[axis] - (len(window) - 1)
    return ops.reshape(flat, shape)


def _times_band(x, window):
    """The same as a product with a banded matrix: XLA's depthwise convolution on a CPU is up to 20 times slower."""
    import jax.numpy as jnp

    outer, size, inner, channels = static_shape(x, "x")
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
