"""Which axes of a layer's input are spatial: images or volumes, channels last or first."""

from typing import Any

import keras

from kerasmith.base.arguments import check_choice

FORMATS = ("channels_last", "channels_first")


def checked_data_format(data_format: str | None) -> str:
    """`data_format`, or Keras' own setting for None."""
    if data_format is None:
        return keras.config.image_data_format()
    check_choice("data_format", data_format, FORMATS)
    return data_format


def check_image_shape(layer: str, shape: Any, data_format: str) -> None:
    """Raises ValueError unless `shape` is (B, H, W, C) or (B, D, H, W, C) with a known C, in the layout of `data_format`."""
    shape = tuple(shape)
    if len(shape) not in (4, 5):
        raise ValueError(
            f"{layer} needs images (B, H, W, C) or volumes (B, D, H, W, C). Received: shape {shape}. "
            "Write `keras.ops.expand_dims(x, -1)` for images without an axis of channels."
        )
    channels = shape[channel_axis(data_format, len(shape))]
    if channels is None:
        raise ValueError(
            f"{layer} filters each channel, so their number must be known. Received: shape {shape}, {data_format}. "
            "Write `keras.Input((None, None, 3))`, for example."
        )


def channel_axis(data_format: str, rank: int) -> int:
    """The index of the axis of channels."""
    return rank - 1 if data_format == "channels_last" else 1


def spatial_axes(data_format: str, rank: int) -> tuple[int, ...]:
    """The indices of the spatial axes.

    >>> spatial_axes("channels_last", 4), spatial_axes("channels_first", 5)
    ((1, 2), (2, 3, 4))
    """
    return tuple(range(1, rank - 1)) if data_format == "channels_last" else tuple(range(2, rank))
