"""Labels and pixel weights of images, volumes and sequences, brought to the lower resolution of an output."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasmith._types import Tensor
from kerasmith.numerics import safe
from kerasmith.numerics.tensors import accumulation_dtype, static_shape


def blocks(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Any:
    """How many pixels of the labels, along each spatial axis, make one pixel of an output.

    Args:
        y_true: labels (B, *spatial), or with a channel axis where `y_pred` has it.
        y_pred: (B, *spatial, C), or with the channels at `axis`.
        axis: the channel axis of `y_pred`, -1 or 1.

    Returns:
        (first, sizes): the first spatial axis of `y_true`, and one whole number for each spatial axis, () if there is none.

    Raises:
        ValueError: if a size is unknown, or that of the output does not divide that of the labels.
    """
    labels, output = static_shape(y_true, "y_true"), static_shape(y_pred, "y_pred")
    wanted = output[2:] if axis == 1 else output[1:-1]
    if not wanted:
        return 1, ()
    if len(labels) not in (len(output), len(output) - 1):
        raise ValueError(
            f"Labels of shape {labels} do not fit an output of shape {output}: expected as many axes as the output has, or "
            f"one less for labels without a channel axis, with sizes that are multiples of {wanted}."
        )
    first = 2 if axis == 1 and len(labels) == len(output) else 1
    given = labels[first : first + len(wanted)]
    if None in (*given, *wanted):
        raise ValueError(
            f"Spatial sizes must be known to compare resolutions. Received: labels of shape {labels}, an output of shape "
            f"{output}. Fix them where the data is made, e.g. `tf.ensure_shape(y, (None, 256, 256, 1))`."
        )
    if any(have < want for have, want in zip(given, wanted)):
        raise ValueError(
            f"An output of shape {output} is finer than the labels of shape {labels}{_hint_of_axis(output, axis)}. Give "
            "labels of the full resolution, or lower that of the output, e.g. by `keras.layers.AveragePooling2D`."
        )
    if any(want == 0 or have % want for have, want in zip(given, wanted)):
        raise ValueError(
            f"The resolution {wanted} of an output of shape {output} must divide that of the labels of shape {labels}, "
            f"{given}, by whole factors{_hint_of_axis(output, axis)}. Pad or crop images and labels to a multiple of the "
            "network's stride, or bring the output to a size that divides, e.g. by `keras.layers.Resizing`."
        )
    return first, tuple(have // want for have, want in zip(given, wanted))


def hold_ids(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> bool:
    """Whether labels are class ids by their shape: one value at a pixel where the output has several channels."""
    labels, output = static_shape(y_true, "y_true"), static_shape(y_pred, "y_pred")
    channel = 1 if axis == 1 else len(output) - 1
    return output[channel] != 1 and (len(labels) < len(output) or labels[channel] == 1)


def picked(x: Tensor, first: int, sizes: Sequence[int]) -> Tensor:
    """The pixel at the centre of each block, entry size // 2 along each axis: for even sizes the one after the middle.

    Args:
        x: a tensor with the spatial axes `first`, `first` + 1, ...
        first, sizes: see `blocks`.
    """
    return x[(slice(None),) * first + tuple(slice(size // 2, None, size) for size in sizes)]


def area_mean(x: Tensor, first: int, sizes: Sequence[int]) -> Tensor:
    """The mean of each block, float32 at least; arguments as `picked`."""
    x = ops.cast(x, accumulation_dtype(x.dtype))
    for axis, size in enumerate(sizes, start=first):
        if size > 1:  # one axis at a time: a few small sums instead of one over eight axes
            shape = ops.shape(x)
            x = ops.sum(ops.reshape(x, (*shape[:axis], shape[axis] // size, size, *shape[axis + 1 :])), axis=axis + 1)
            x = x / size
    return x


def weighted_area_mean(x: Tensor, weight: Tensor, first: int, sizes: Sequence[int]) -> Tensor:
    """sum(w x) / sum(w) over each block; 0 where all weights are 0.

    With it and the mean weight, a loss that is linear in the labels has the value it has at full resolution for the output
    repeated over each block. What stands at a weight of 0, also a NaN, counts for nothing.

    Args:
        x: (B, *spatial), (B, *spatial, C) or (B, C, *spatial).
        weight: (B, *spatial).
        first, sizes: see `blocks`.
    """
    dtype = accumulation_dtype(x.dtype)
    weight = ops.cast(weight, dtype)
    mean = area_mean(weight, 1, sizes)
    if first == 2:
        weight, mean = ops.expand_dims(weight, 1), ops.expand_dims(mean, 1)
    elif len(x.shape) > len(weight.shape):
        weight, mean = ops.expand_dims(weight, -1), ops.expand_dims(mean, -1)
    x = ops.cast(x, dtype)
    return safe.ratio(area_mean(ops.where(weight == 0, ops.zeros_like(x), x * weight), first, sizes), mean, when_empty=0.0)


def _hint_of_axis(output, axis):
    """What to write where the channels seem to come first."""
    swapped = axis == -1 and None not in output[1:] and output[1] < min(output[2:])
    return " (set `axis=1` in the loss if channels come first)" if swapped else ""
