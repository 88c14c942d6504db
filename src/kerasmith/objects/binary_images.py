"""One boolean image per sample and class, for everything that looks at shapes: objects, surfaces."""

from keras import ops

from kerasmith._types import Tensor
from kerasmith.labels.class_ids import decide
from kerasmith.labels.pixels import Pixels


def binary_images(pixels: Pixels, threshold: float, include_background: bool = False) -> tuple[Tensor, Tensor]:
    """Truth and decision as boolean images of one class each.

    Ignored and masked pixels are False in both. The classes of one sample lie next to each other:
    `reshape(x, (-1, len(image_classes(pixels)), ...))` separates samples and classes again.

    Args:
        pixels: a `Pixels` record.
        threshold: probability above which a binary channel is True. Competing classes: the largest score wins.
        include_background: whether class 0 of competing classes gets images of its own.

    Returns:
        Two boolean tensors (B * classes, *spatial).

    Raises:
        ValueError: if there are no spatial axes.
    """
    both = pixels.truth > 0.5, decide(pixels, threshold) > 0.5
    return tuple(as_images(pixels, values, include_background) for values in both)


def image_classes(pixels: Pixels, include_background: bool = False) -> range:
    """The channels that have images: all, or all but the background (channel 0) of competing classes."""
    return range(int(not pixels.binary and not include_background), pixels.channels)


def as_images(pixels: Pixels, values: Tensor, include_background: bool = False, *, ignored: bool = False) -> Tensor:
    """Values in the layout of `pixels.scores` as (B * classes, *spatial).

    Args:
        ignored: whether pixels that do not count keep their values, or get 0 or False.
    """
    if not pixels.spatial:
        raise ValueError(
            "Images are needed, (B, *spatial, C), to find objects and surfaces in. "
            f"Received: y_pred of shape (B, {pixels.channels})"
        )
    if pixels.valid is not None and not ignored:
        values = ops.where(pixels.per_class(pixels.valid) > 0, values, ops.zeros_like(values))
    if pixels.class_axis == 2:
        values = ops.transpose(values, (0, 2, 1))
    if pixels.class_axis is not None:
        values = values[:, image_classes(pixels, include_background).start :]
    return ops.reshape(values, (-1, *pixels.spatial))
