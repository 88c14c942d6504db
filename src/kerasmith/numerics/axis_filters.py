"""Filters along one axis of an image or volume, with taps of their own for each channel."""

from typing import Any

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.keras_internals.tensors import compiled_by_xla


def replicated(x: Tensor, before: int, after: int, axis: int) -> Tensor:
    """`x` with its first and last entries along `axis` repeated: unlike a reflection, for images of any size.

    >>> from keras import ops
    >>> ops.convert_to_numpy(replicated(ops.array([1, 2, 3]), 2, 1, axis=0)).tolist()
    [1, 1, 1, 2, 3, 3]
    """
    if not before and not after:
        return x
    first, last = part(x, slice(None, 1), axis), part(x, slice(-1, None), axis)
    return ops.concatenate([first] * before + [x] + [last] * after, axis=axis)


def filter_axis(x: Tensor, taps: Tensor, axis: int) -> Tensor:
    """sum_t taps_t * x_(i + t - (k - 1) // 2): a correlation along `axis`, the border replicated.

    A sum of shifted images: it serves every rank and layout, and fuses into one loop in XLA, whose depthwise convolution on a
    CPU is up to 20 times slower. Where operations run one by one, on images with the channels last, it is that convolution.

    Args:
        x: of any rank.
        taps: (k, ...), k known; each row broadcasts to `x`. (k, C) for channels that are last.
        axis: of `x`.

    Returns:
        The shape of `x`.
    """
    count = int(taps.shape[0])
    before = (count - 1) // 2
    wide = replicated(x, before, count - 1 - before, axis)
    if count > 1 and convolves(x, taps):
        kernel = ops.reshape(taps, (count, 1, -1, 1) if axis == 1 else (1, count, -1, 1))
        return ops.depthwise_conv(wide, kernel, padding="valid", data_format="channels_last")
    return sum_of([part(wide, slice(i, i + 1 - count or None), axis) * taps[i] for i in range(count)])


def neighbours(x: Tensor, axes: tuple[int, ...]) -> dict[tuple[int, ...], Tensor]:
    """{offset: `x` at the pixel so far away} of the 3 ** len(axes) nearest pixels, the border replicated."""
    found = {(): x}
    for axis in axes:
        wider = {}
        for offset, values in found.items():
            wide = replicated(values, 1, 1, axis)
            for step in (-1, 0, 1):
                wider[(*offset, step)] = part(wide, slice(1 + step, step - 1 or None), axis)
        found = wider
    return found


def convolves(x: Tensor, taps: Tensor) -> bool:
    """Whether a depthwise convolution serves better than a sum of shifted images."""
    fuses = keras.backend.backend() == "jax" or compiled_by_xla()
    return not fuses and len(x.shape) == 4 and len(taps.shape) == 2


def part(x: Tensor, cut: slice, axis: int) -> Tensor:
    """`x` cut along one axis."""
    return x[(slice(None),) * axis + (cut,)]


def sum_of(terms: list[Any]) -> Any:
    """The sum without a first 0, which would be one more pass over the image."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
