"""What a file holds, before its axes are brought into one order."""

import dataclasses
from typing import Any

import numpy as np

MOST_CHANNELS = 4
"""An array (A, B, C) with at most so many C is an image with channels; with more it is a volume."""


@dataclasses.dataclass(frozen=True)
class Stored:
    """An array as a file has it.

    Attributes:
        array: any axes.
        axes: a letter for each axis: Y and X (in 3-D also Z), C for channels; None where the file does not say.
        spacing: size of a pixel along each spatial axis in their order, or None.
        affine: (4, 4) from pixels to the world, or None.
        header: what the format needs to write another array like this one.
    """

    array: np.ndarray
    axes: str | None = None
    spacing: tuple[float, ...] | None = None
    affine: np.ndarray | None = None
    header: Any = None


def channels_last(stored: Stored, dimensions: int | None = None, *, mask: bool = False) -> np.ndarray:
    """The array as (H, W, C) or (D, H, W, C).

    Args:
        stored: with or without names of its axes.
        dimensions: how many axes are spatial, for arrays without names: 2, 3, or None for the likelier one.
        mask: a mask without names has no channels, unless the last of three axes is short.

    Raises:
        ValueError: for arrays that are no image.

    >>> channels_last(Stored(np.zeros((3, 8, 9)), "CYX")).shape, channels_last(Stored(np.zeros((8, 9, 20)))).shape
    ((8, 9, 3), (8, 9, 20, 1))
    """
    array, axes = stored.array, stored.axes
    if axes is None:
        axes = _likely_axes(array.shape, dimensions)
    # A single slice, or a single channel of an axis with a name, is no axis of its own.
    single = [
        i for i, letter in enumerate(axes) if array.shape[i] == 1 and letter not in "YX" and (letter, dimensions) != ("Z", 3)
    ]
    array = np.squeeze(array, axis=tuple(single))
    axes = "".join(letter for i, letter in enumerate(axes) if i not in single)
    if axes.count("Z") > 1 or axes.count("C") > 1 or sorted(axes.replace("Z", "").replace("C", "")) != ["X", "Y"]:
        raise ValueError(f"its axes {axes} of lengths {array.shape} are no image: expected rows, columns, slices and channels")
    if 0 in array.shape:
        raise ValueError(f"it is empty: shape {array.shape}")
    if "C" not in axes:
        return array[..., None]
    return np.moveaxis(array, axes.index("C"), -1)


def _likely_axes(shape: tuple[int, ...], dimensions: int | None) -> str:
    if len(shape) == 2:
        return "YX"
    if len(shape) == 3:
        short = shape[-1] <= MOST_CHANNELS < min(shape[:2])
        return "YXC" if dimensions == 2 or (dimensions is None and short) else "ZYX"
    if len(shape) == 4 and dimensions != 2:
        return "ZYXC"
    raise ValueError(
        f"an array of shape {shape} is no image: expected (H, W), (H, W, C), (D, H, W) or (D, H, W, C)"
        if dimensions != 2
        else f"an array of shape {shape} is no 2-D image: expected (H, W) or (H, W, C)"
    )
