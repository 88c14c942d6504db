"""How far each pixel is from the border of a mask: Euclidean distance transforms, on the host and on the device."""

import math
from collections.abc import Sequence
from typing import Any

import edt
import numpy as np
from keras import ops

from kerasmith._types import Tensor
from kerasmith.numerics.tensors import static_shape


def squared_distances(masks: Any, spacing: float | Sequence[float] | None = None) -> np.ndarray:
    """Squared distance of each pixel to the nearest pixel of the other kind, outside and inside. NumPy in, NumPy out.

    A mask that is empty or full has no border: its distances are 0.

    Args:
        masks: boolean (M, *spatial), 1-D to 3-D images.
        spacing: size of a pixel along each spatial axis, one number for all, or None for 1.

    Returns:
        float32 (M, *spatial).

    Raises:
        ValueError: for images of other dimensions, or a spacing that does not fit.
    """
    spacing = axis_spacing(spacing, masks.ndim - 1)
    distances = np.zeros(masks.shape, "float32")
    for mask, out in zip(masks, distances, strict=True):
        if mask.any() and not mask.all():
            # Two labels: one transform measures from both sides.
            labels = np.ascontiguousarray(mask, "uint8") + np.uint8(1)
            out[...] = edt.edtsq(labels, anisotropy=spacing if mask.ndim > 1 else spacing[0], black_border=False, parallel=1)
    return distances


def signed_distances(masks: Any, spacing: float | Sequence[float] | None = None) -> np.ndarray:
    """Distance of each pixel to the nearest pixel of the other kind, negative inside. NumPy in, NumPy out.

    The two sides are alike: pixels on either side of a border have -1 and 1 (times the spacing). A mask that is empty or full
    has no border: its distances are 0. Arguments and errors as `squared_distances`.
    """
    distances = np.sqrt(squared_distances(masks, spacing))
    return np.where(masks, -distances, distances)


def squared_distances_on_device(masks: Any, spacing: float | Sequence[float] | None = None) -> Tensor:
    """`squared_distances` in `keras.ops`, for the one place that cannot call the host: TensorFlow under XLA.

    Exact: along one axis after the other, d(i) = min_j d(j) + (s (i - j)) ** 2. It takes n steps a pixel on an axis of n
    pixels; XLA never builds the array of all pairs.
    """
    shape = static_shape(masks, "masks")
    spacing = axis_spacing(spacing, len(shape) - 1)
    masks = ops.cast(masks, "bool")
    if 0 in shape:
        return ops.cast(masks, "float32")
    # Distances to pixels outside, from inside, and the reverse; one of the two is 0 everywhere.
    distances = ops.where(ops.stack([masks, ops.logical_not(masks)]), math.inf, 0.0)
    for axis, step in enumerate(spacing, start=2):
        distances = _pass_along(distances, axis, step)
    distances = ops.sum(distances, axis=0)
    axes = tuple(range(1, len(shape)))
    bordered = ops.any(masks, axis=axes, keepdims=True) & ops.any(ops.logical_not(masks), axis=axes, keepdims=True)
    return ops.where(bordered, distances, ops.zeros_like(distances))


def _pass_along(distances, axis, step):
    line = ops.arange(ops.shape(distances)[axis], dtype="float32") * step
    pairs = ops.square(ops.expand_dims(line, 1) - ops.expand_dims(line, 0))
    lines = ops.expand_dims(ops.moveaxis(distances, axis, -1), -2)
    return ops.moveaxis(ops.min(lines + pairs, axis=-1), -1, axis)


def axis_spacing(spacing: float | Sequence[float] | None, dimensions: int) -> tuple[float, ...]:
    """One number per spatial axis.

    Raises:
        ValueError: if the images are not 1-D to 3-D, or `spacing` has another number of axes.
    """
    if dimensions not in (1, 2, 3):
        raise ValueError(f"Distances are measured in 1-D, 2-D and 3-D images. Received: {dimensions} spatial axes")
    if spacing is None:
        return (1.0,) * dimensions
    if not hasattr(spacing, "__len__"):
        return (float(spacing),) * dimensions
    if len(spacing) != dimensions:
        raise ValueError(
            f"`spacing` needs one number per spatial axis. Received: spacing={spacing} for {dimensions} spatial axes"
        )
    return tuple(float(s) for s in spacing)
