"""Where the classes of labels and predictions are: which axis holds them, and the layout that all are brought to."""

import math

import keras
from keras import ops

from kerasmith._types import Labels, Tensor
from kerasmith.numerics.tensors import compatible


def fastest_axis(given_axis: int | None, takes_softmax: bool) -> int | None:
    """Where the classes are kept: as they came in, but for a softmax over a short last axis on PyTorch.

    It is 14 times slower there than over an axis in the middle, more than a copy costs.
    """
    return 1 if given_axis == 2 and takes_softmax and keras.backend.backend() == "torch" else given_axis


def moved(x: Tensor, given_axis: int | None, class_axis: int | None) -> Tensor:
    """(B, N, C) as (B, C, N) if that is asked for."""
    return x if given_axis == class_axis else x.transpose(1, 2).contiguous()


def channels_of(shape_pred: tuple[int | None, ...], axis: int) -> tuple[int, int]:
    """(the axis of the channels, how many) of predictions whose channels are at `axis`; raises if that cannot be told."""
    rank = len(shape_pred)
    if rank < 2:
        raise ValueError(
            "y_pred needs a batch axis and a channel axis, (B, ..., C). "
            f"Received: y_pred of shape {shape_pred}. Write `y_pred[..., None]` for a single channel."
        )
    channel_axis = axis % rank if -rank <= axis < rank else None
    if channel_axis not in (1, rank - 1):
        raise ValueError(
            f"`axis` must be -1 (channels last) or 1 (channels first). Received: axis={axis} for y_pred of shape {shape_pred}"
        )
    channels = shape_pred[channel_axis]
    if channels is None:
        raise ValueError(
            f"The number of channels must be known. Received: y_pred of shape {shape_pred} with axis={axis}. "
            "Give the last layer a fixed number of filters or units."
        )
    return channel_axis, channels


def holds_ids(
    labels: Labels,
    shape_true: tuple[int | None, ...],
    shape_pred: tuple[int | None, ...],
    channel_axis: int,
    channels: int,
    multi_label: bool,
) -> bool:
    """Whether `y_true` holds ids; raises if it fits neither form."""
    without_channels = shape_pred[:channel_axis] + shape_pred[channel_axis + 1 :]
    one_channel = (*shape_pred[:channel_axis], 1, *shape_pred[channel_axis + 1 :])
    fits_dense = compatible(shape_true, shape_pred)
    fits_ids = compatible(shape_true, without_channels) or (
        compatible(shape_true, one_channel) and (shape_true[channel_axis] == 1 or channels == 1 or labels == "sparse")
    )
    if channels == 1:  # a mask is a mask, with its channel axis or without
        ok, sparse = fits_dense or fits_ids, False
    elif labels == "one_hot" or multi_label:
        ok, sparse = fits_dense, False
    elif labels == "sparse":
        ok, sparse = fits_ids, True
    else:
        ok, sparse = fits_dense or fits_ids, fits_ids
    if not ok:
        expected = []
        if labels != "sparse" or channels == 1:
            expected.append(f"{shape_pred} (one value a channel)")
        if (labels != "one_hot" and not multi_label) or channels == 1:
            expected.append(f"{without_channels} or {one_channel} (class ids)")
        raise ValueError(
            f"y_true of shape {shape_true} does not fit y_pred of shape {shape_pred}: they would broadcast. "
            f"Expected y_true of shape {' or '.join(expected)} with labels={labels!r}. "
            "Write `y_true[..., None]` or `keras.ops.squeeze(y_true, -1)` if only the channel axis differs; "
            "set `axis=1` if channels come first."
        )
    return sparse


def flatten(x: Tensor, shape: tuple[int | None, ...], class_axis: int | None, channels: int) -> Tensor:
    """(B, *spatial[, C]) -> (B, N), (B, N, C) or (B, C, N), keeping an unknown batch size unknown."""
    sizes = shape[1:] if class_axis is None else (shape[1:-1] if class_axis == 2 else shape[2:])
    if None in sizes:
        batch, pixels = ops.shape(x)[0], -1
    else:
        batch, pixels = (-1 if shape[0] is None else shape[0]), math.prod(sizes)
    target = {None: (batch, pixels), 1: (batch, channels, pixels), 2: (batch, pixels, channels)}[class_axis]
    return x if len(shape) == len(target) else ops.reshape(x, target)
