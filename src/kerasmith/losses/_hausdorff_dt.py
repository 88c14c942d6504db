"""Hausdorff loss by distance transforms."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasmith._types import Function
from kerasmith.base import PerSample, make_functional, register
from kerasmith.base.arguments import check_number
from kerasmith.base.weights import Weights
from kerasmith.labels.pixels import Pixels
from kerasmith.losses._boundary import check_spacing
from kerasmith.losses._shape import ShapeLoss, mean_over_pixels, squared_border_distances, valid_images


@register
class HausdorffDT(ShapeLoss):
    """Hausdorff loss: squared errors, weighted by how far they are from the borders of truth and prediction.

    loss = mean over the pixels of (p - y) ** 2 * (d_p ** alpha + d_y ** alpha)

    d_y and d_p are the distances to the border of the true mask and of p > 0.5, measured from both sides, to the nearest pixel
    of the other kind; constants of the step, without gradient. A mask that is empty or full has no border: d = 0, so an
    object that is missed altogether still costs by d_y, and a false positive by d_p. Large errors weigh like alpha powers of
    pixels: use it as a term, `Dice() + 0.01 * HausdorffDT()`. Pixel weights: sum(w l) / valid pixels. Ignored and masked
    pixels are background in both masks.

    Distances are computed on the host by `edt`; under TensorFlow's XLA, which cannot call it, on the device in a time that
    grows with the length of an axis.

    Args:
        alpha: power of the distances, >= 0.
        spacing: size of a pixel along each spatial axis, one number for all, or None for 1.
        include_background: see `losses.ShapeLoss`.
        from_logits, axis, labels, class_weights, ignore_class, multi_label: see `losses.SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: labels as for `losses.Dice`.
        y_pred: probabilities (or logits) (B, *spatial, C), 1-D to 3-D images.
        sample_weight: (B,), or (B, *spatial[, 1]) inside the mean.

    Returns:
        A scalar >= 0; (B,) for `reduction="none"`.

    Raises:
        ValueError: for shapes that would broadcast, predictions that are no images, or a spacing with another number of axes.

    Example:

    >>> y_true = [[[0.0], [0.0], [1.0], [1.0]]]
    >>> y_pred = [[[0.0], [1.0], [1.0], [1.0]]]
    >>> float(HausdorffDT()(y_true, y_pred))  # one wrong pixel, at distance 1 from both borders
    0.5

    Reference: Karimi and Salcudean, "Reducing the Hausdorff distance in medical image segmentation with convolutional neural
    networks", 2019.
    """

    def __init__(self, alpha: float = 2.0, *, spacing: Sequence[float] | float | None = None, **kwargs: Any) -> None:
        check_number("alpha", alpha, minimum=0)
        check_spacing(spacing)
        super().__init__(**kwargs)
        self.alpha = alpha
        self.spacing = spacing

    def per_sample(self, pixels: Pixels, weights: Weights) -> PerSample:
        truth, predicted = valid_images(pixels.truth, pixels), valid_images(pixels.probabilities, pixels)
        # Both at once: one call of the host a step.
        both = squared_border_distances(ops.concatenate([truth, predicted], axis=0), self.spacing)
        powers = both if self.alpha == 2 else both ** (self.alpha / 2)
        d_true, d_predicted = ops.split(powers, 2, axis=0)
        values, weight_mean = mean_over_pixels(ops.square(predicted - truth) * (d_true + d_predicted), pixels)
        return PerSample(self.mean_over_classes(values, pixels), weight_mean)


hausdorff_dt: Function = make_functional(HausdorffDT, "hausdorff_dt")
