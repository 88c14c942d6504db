"""Boundary loss."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasmith._types import Function
from kerasmith.base import PerSample, make_functional, register
from kerasmith.base.arguments import check_number
from kerasmith.base.weights import Weights
from kerasmith.labels.pixels import Pixels
from kerasmith.losses._shape import ShapeLoss, mean_over_pixels, squared_border_distances, valid_images


@register
class Boundary(ShapeLoss):
    """Boundary loss: how far from the true border the predicted mass lies.

    loss = mean over the pixels of p * phi, phi = distance to the border of the true mask, negative inside

    The value is negative where the mask is found. It says how to move a border, not whether a class is there at all, so it is
    a term beside a region loss: `Dice() + 0.01 * Boundary()`. phi is the distance to the nearest pixel of the other kind, -1
    and 1 on the two sides of a border (the authors' code has 0 and 1, which pulls a border outwards by half a pixel). A
    class that no pixel or every pixel has, has no border: phi = 0, only the region loss speaks. Pixel weights:
    sum(w p phi) / valid pixels. Ignored and masked pixels are background in phi.

    phi is computed on the host by `edt`; under TensorFlow's XLA, which cannot call it, on the device in a time that grows with
    the length of an axis. To do it once, ahead of the step, pass `maps=True` and y_true from `data.signed_distance_maps`.

    Args:
        maps: y_true holds phi itself, in the shape of y_pred.
        spacing: size of a pixel along each spatial axis, one number for all, or None for 1.
        include_background: see `losses.ShapeLoss`.
        from_logits, axis, labels, class_weights, ignore_class, multi_label: see `losses.SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: labels as for `losses.Dice`, or maps of distances.
        y_pred: probabilities (or logits) (B, *spatial, C), 1-D to 3-D images.
        sample_weight: (B,), or (B, *spatial[, 1]) inside the mean.

    Returns:
        A scalar of any sign; (B,) for `reduction="none"`.

    Raises:
        ValueError: for shapes that would broadcast, predictions that are no images, `ignore_class` beside maps, or a spacing
            with another number of axes.

    Example:

    >>> y_true = [[[0.0], [0.0], [1.0], [1.0]]]
    >>> y_pred = [[[0.5], [0.0], [1.0], [0.5]]]
    >>> float(Boundary()(y_true, y_pred))  # (0.5 * 2 - 1 * 1 - 0.5 * 2) / 4
    -0.25

    Reference: Kervadec et al., "Boundary loss for highly unbalanced segmentation", 2019.
    """

    def __init__(self, *, maps: bool = False, spacing: Sequence[float] | float | None = None, **kwargs: Any) -> None:
        check_spacing(spacing)
        super().__init__(**kwargs)
        if maps and self.ignore_class is not None:
            raise ValueError(
                f"Maps of distances hold no class ids. Received: maps=True, ignore_class={self.ignore_class}. "
                "Give ignored pixels a `sample_weight` of 0."
            )
        if maps and spacing is not None:
            raise ValueError(
                f"Maps already are distances. Received: maps=True, spacing={spacing}. "
                "Write `data.signed_distance_maps(..., spacing=...)`."
            )
        self.maps = maps
        self.spacing = spacing

    @property
    def labels_are_classes(self) -> bool:
        return not self.maps

    def per_sample(self, pixels: Pixels, weights: Weights) -> PerSample:
        if self.maps:
            distances = pixels.images(pixels.truth)
        else:
            truth = valid_images(pixels.truth, pixels)
            distances = ops.sqrt(squared_border_distances(truth, self.spacing))
            distances = ops.where(truth > 0.5, -distances, distances)
        values, weight_mean = mean_over_pixels(pixels.images(pixels.probabilities) * distances, pixels)
        return PerSample(self.mean_over_classes(values, pixels), weight_mean)


def check_spacing(spacing: Sequence[float] | float | None) -> None:
    """Raises TypeError or ValueError unless `spacing` is None, a number > 0, or a list of them."""
    if spacing is None:
        return
    for i, size in enumerate(spacing if isinstance(spacing, (list, tuple)) else [spacing]):
        check_number(f"spacing[{i}]" if isinstance(spacing, (list, tuple)) else "spacing", size, above=0)


boundary: Function = make_functional(Boundary, "boundary")
