"""An image with another number of pixels, over the same space."""

from collections.abc import Sequence

import numpy as np


def resampled_size(size: Sequence[int], spacing: Sequence[float], new_spacing: Sequence[float]) -> tuple[int, ...]:
    """How many pixels of another spacing cover the same space.

    >>> resampled_size((10, 20), (2.0, 1.0), (1.0, 1.0))
    (20, 20)
    """
    return tuple(max(1, round(n * old / new)) for n, old, new in zip(size, spacing, new_spacing, strict=True))


def resample(array: np.ndarray, size: Sequence[int], *, nearest: bool = False) -> np.ndarray:
    """The array with another number of pixels along its first axes, linear between pixel centres.

    Pixel i of n covers [i / n, (i + 1) / n] of the axis; beyond the outermost centres the outermost values stay.

    Args:
        array: (*spatial, ..).
        size: new spatial sizes.
        nearest: the nearest pixel instead, for ids, in the type of the array.

    Returns:
        float32 (*size, ..), or the type of `array`.

    Example:

    >>> resample(np.array([0.0, 2.0]), (4,)).tolist(), resample(np.array([5, 7]), (4,), nearest=True).tolist()
    ([0.0, 0.5, 1.5, 2.0], [5, 5, 7, 7])
    """
    array = np.asarray(array)
    if not nearest:
        array = array.astype(np.float32)
    for axis, new in enumerate(size):
        old = array.shape[axis]
        if new == old:
            continue
        place = (np.arange(new) + 0.5) * old / new - 0.5
        if nearest:
            array = np.take(array, np.clip(np.floor(place + 0.5), 0, old - 1).astype(int), axis=axis)
            continue
        place = np.clip(place, 0, old - 1)
        below = np.minimum(place.astype(int), max(old - 2, 0))
        share = (place - below).astype(np.float32).reshape((-1,) + (1,) * (array.ndim - axis - 1))
        lower, upper = (np.take(array, np.minimum(below + step, old - 1), axis=axis) for step in (0, 1))
        array = lower + (upper - lower) * share
    return array
