"""Pairs of images: read into one layout, and averaged."""

from typing import Any

from keras import ops

from kerasmith._types import Tensor
from kerasmith.labels.alignment import align
from kerasmith.numerics.tensors import accumulation_dtype, static_shape


def image_pair(y_true: Tensor, y_pred: Tensor, axis: int, valid: Tensor | None = None) -> Any:
    """Predicted and true images as (B, *spatial, C), float32 at least, 0 where they do not count, whatever stands there.

    Args:
        y_true: images in the shape of `y_pred`; one channel may lack its axis.
        y_pred: (B, H, W, C) or (B, D, H, W, C), or with the channels at `axis`.
        axis: the channel axis, -1 or 1.
        valid: None or (B, *spatial), 0 on pixels that do not count.

    Raises:
        ValueError: for arrays that are no images, or shapes that would broadcast.
    """
    shape = image_shape(y_pred, axis)
    if axis == 1:
        y_pred = ops.moveaxis(y_pred, 1, -1)
        y_true = ops.moveaxis(y_true, 1, -1) if len(y_true.shape) == len(shape) else y_true
    dtype = accumulation_dtype(y_pred.dtype)
    y_pred, y_true = ops.cast(y_pred, dtype), ops.cast(align(y_true, y_pred), dtype)
    if valid is None:
        return y_pred, y_true
    keep = ops.expand_dims(valid, -1) > 0
    return ops.where(keep, y_pred, ops.zeros_like(y_pred)), ops.where(keep, y_true, ops.zeros_like(y_true))


def image_shape(x: Tensor, axis: int) -> tuple[int | None, ...]:
    """The static shape of images or volumes.

    Raises:
        ValueError: for arrays that are none, or have an unknown number of channels.
    """
    shape = static_shape(x, "y_pred")
    if len(shape) not in (4, 5):
        layouts = "(B, H, W, C) or (B, D, H, W, C)" if axis == -1 else "(B, C, H, W) or (B, C, D, H, W)"
        raise ValueError(
            f"y_pred must hold images or volumes, {layouts} with axis={axis}. Received: y_pred of shape {shape}. "
            f"Write `y_pred[{'..., None' if axis == -1 else ':, None'}]` for images without a channel axis."
        )
    if shape[axis] is None:
        raise ValueError(
            f"The number of channels must be known. Received: y_pred of shape {shape} with axis={axis}. "
            "Give the last layer a fixed number of filters."
        )
    return shape


def weighted_mean(values: Tensor, pixel: Tensor | None = None, valid: Tensor | None = None) -> Tensor:
    """((B,) means over places and channels, sum(w v) / sum(w), and the (B,) mean weights of the places).

    Args:
        values: (B, *spatial, C).
        pixel, valid: None or (B, *spatial) weights, 0 leaves out even NaN. Without any weight in an image its mean is 0.
    """
    values = ops.sum(values, axis=-1) / values.shape[-1]
    axes = tuple(range(1, len(values.shape)))
    weight = ops.ones_like(values)
    for given in (pixel, valid):
        weight = weight if given is None else weight * ops.cast(given, values.dtype)
    total = ops.sum(weight, axis=axes)
    mean = ops.sum(ops.where(weight == 0, 0.0, values * weight), axis=axes) / ops.where(total > 0, total, 1.0)
    return mean, total / ops.sum(ops.ones_like(values), axis=axes)
