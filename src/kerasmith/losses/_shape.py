"""The core of the shape family: the batch as images of one class each, from one value per class to one per image."""

import math
from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasmith._types import Tensor
from kerasmith.base.host import call_on_host, host_is_reachable
from kerasmith.base.weights import Weights
from kerasmith.labels.class_reduction import mean_over_classes
from kerasmith.labels.pixels import Pixels
from kerasmith.losses._segmentation import SegmentationLoss
from kerasmith.numerics.tensors import static_shape
from kerasmith.objects.distance_maps import squared_distances, squared_distances_on_device


class ShapeLoss(SegmentationLoss):
    """Base of losses that look at the form of a mask: where its border is, or its centre line.

    Args:
        include_background: if False, class 0 of competing classes is left out of the mean.
        from_logits, axis, labels, class_weights, ignore_class, multi_label: see `SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.
    """

    _old_hooks = {**SegmentationLoss._old_hooks, "of_images": "per_sample"}

    def __init__(self, *, include_background: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.include_background = include_background

    def read(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> tuple[Pixels]:
        (pixels,) = super().read(y_true, y_pred, weights)
        if not pixels.spatial:
            raise ValueError(
                f"{type(self).__name__} needs images, (B, *spatial, C). "
                f"Received: y_pred of shape {static_shape(pixels.scores, 'y_pred')}"
            )
        return (pixels,)

    def mean_over_classes(self, values: Tensor, pixels: Pixels) -> Tensor:
        """The mean over the classes, (B, C) -> (B,)."""
        background = self.include_background or pixels.multi_label
        present = ops.ones_like(values)  # classes without a label count too
        return mean_over_classes(
            values,
            present,
            class_weights=self.class_weights,
            include_background=background,
            known=pixels.known_classes,
        )


def sum_over_pixels(images: Tensor) -> Tensor:
    """(B, C, *spatial) -> (B, C)."""
    return ops.sum(images, axis=tuple(range(2, len(images.shape))))


def mean_over_pixels(images: Tensor, pixels: Pixels) -> tuple[Tensor, Tensor | None]:
    """sum(w l) / (number of valid pixels) of each class, (B, C), and the mean pixel weight, (B,), or None for 1."""
    if pixels.weight is None:
        number = ops.cast(math.prod(ops.shape(images)[2:]), images.dtype)
        return sum_over_pixels(images) / number, None
    valid = ops.ones_like(pixels.weight) if pixels.valid is None else pixels.valid
    if len(valid.shape) == 3:
        return _mean_over_labelled_pixels(images, pixels.weight, valid, pixels)
    number = ops.sum(valid, axis=-1)
    number = ops.where(number > 0, number, ops.ones_like(number))
    weight_mean = None if pixels.weight is pixels.valid else ops.sum(pixels.weight, axis=-1) / number
    return sum_over_pixels(images * one_channel(pixels.weight, pixels)) / ops.expand_dims(number, -1), weight_mean


def _mean_over_labelled_pixels(images, weight, valid, pixels):
    """`mean_over_pixels` where each channel has weights of its own."""
    number = sum_over_pixels(pixels.images(valid))
    weight_mean = ops.sum(weight, axis=(1, 2)) / ops.maximum(ops.sum(valid, axis=(1, 2)), 1.0)
    return sum_over_pixels(images * pixels.images(weight)) / ops.maximum(number, 1.0), weight_mean


def one_channel(x: Tensor, pixels: Pixels) -> Tensor:
    """A (B, N) tensor, or one in the layout of `scores`, in a shape that multiplies images, (B, 1 or C, *spatial)."""
    return pixels.images(x) if len(x.shape) == 3 else ops.reshape(x, (-1, 1, *pixels.spatial))


def valid_images(x: Tensor, pixels: Pixels) -> Tensor:
    """Values in the layout of `scores` as images (B, C, *spatial), 0 where a pixel is ignored or masked."""
    return pixels.images(x if pixels.valid is None else x * pixels.per_class(pixels.valid))


def squared_border_distances(images: Tensor, spacing: Sequence[float] | float | None) -> Tensor:
    """Squared distance of each pixel to the border of `images > 0.5`, (B, C, *spatial); a constant, without gradient."""
    sizes = ops.shape(images)
    masks = ops.reshape(ops.stop_gradient(images) > 0.5, (-1, *sizes[2:]))
    if host_is_reachable():
        shape = static_shape(masks, "y_pred")
        distances = call_on_host(lambda array: squared_distances(array, spacing), (masks,), shape)
    else:
        distances = squared_distances_on_device(masks, spacing)
    return ops.cast(ops.reshape(distances, sizes), images.dtype)
