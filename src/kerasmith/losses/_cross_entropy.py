"""Cross-entropy of pixels or samples."""

from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.base.arguments import check_number
from kerasmith.labels.pixels import Pixels
from kerasmith.losses._pixelwise import PixelLoss, at_label, at_truth, binary_cross_entropy, log_probabilities
from kerasmith.numerics.hardest import check_hardest, mean_of_hardest


@register
class CrossEntropy(PixelLoss):
    """Cross-entropy: binary for one channel, categorical for several, from ids or one-hot labels alike.

    loss = -sum_c y_c log p_c for each pixel; one channel: -(y log p + (1 - y) log(1 - p)); then the mean over the valid pixels
    of each image; with `top_k` the mean over its hardest pixels only (online hard example mining).

    Args:
        from_logits: whether y_pred are logits; the stable form, with a gradient everywhere.
        label_smoothing: 0 to 1; labels become (1 - e) y + e / C (one channel: (1 - e) y + e / 2).
        top_k: how many pixels of each image count, those with the largest weighted loss: a whole number, or a share of the
            valid pixels above 0 and up to 1. None for all.
        class_weights: one number per channel; for a single channel two, background and foreground.
        axis, labels, ignore_class, multi_label: see `losses.SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: ids (B, *spatial) or (B, *spatial, 1), or labels in the shape of y_pred, 0 to 1.
        y_pred: probabilities (or logits) (B, *spatial, C); C = 1 for one binary mask; (B, C) for whole images.
        sample_weight: (B,), or a weight map (B, *spatial[, 1]): sum(w l) / (number of valid pixels).

    Returns:
        A scalar; (B,) for `reduction="none"`.

    Raises:
        ValueError: for shapes that would broadcast, ids out of range, or an unknown option.

    Example:

    >>> y_true = [[0, 1, 255]]
    >>> logits = [[[2.0, 0.0], [0.0, 0.0], [9.0, 0.0]]]
    >>> round(float(CrossEntropy(from_logits=True, ignore_class=255)(y_true, logits)), 4)
    0.41
    >>> round(float(CrossEntropy(from_logits=True, ignore_class=255, top_k=1)(y_true, logits)), 4)
    0.6931

    Reference for `top_k`: Wu, Shen and van den Hengel, "High-performance semantic segmentation using very deep fully
    convolutional networks", 2016 (there over the batch, here for each image, so that no sample changes another).
    """

    def __init__(
        self, *, from_logits: bool = False, label_smoothing: float = 0.0, top_k: float | None = None, **kwargs: Any
    ) -> None:
        check_number("label_smoothing", label_smoothing, minimum=0, maximum=1)
        check_hardest("top_k", top_k)
        super().__init__(from_logits=from_logits, **kwargs)
        self.label_smoothing = label_smoothing
        self.top_k = top_k

    @property
    def sums_all_pixels(self) -> bool:
        return self.top_k is None

    def over_pixels(self, losses: Tensor, weight: Tensor, valid: Tensor) -> tuple[Tensor, Tensor | None]:
        if self.top_k is None:
            return super().over_pixels(losses, weight, valid)
        return mean_of_hardest(losses, weight, valid, self.top_k)

    def over_channels(
        self, losses: Tensor, weight: Tensor, valid: Tensor | None, class_axis: int
    ) -> tuple[Tensor, Tensor | None]:
        if self.top_k is None:
            return super().over_channels(losses, weight, valid, class_axis)
        # The hardest pixels, each by the weighted mean over its labelled channels.
        number = ops.ones_like(losses) if valid is None else valid
        number = ops.sum(number, axis=class_axis)
        known = ops.cast(number > 0, losses.dtype)
        means = [ops.sum(x, axis=class_axis) / ops.maximum(number, 1.0) for x in (losses * weight, weight)]
        weight = known if weight is valid else means[1]
        return mean_of_hardest(means[0] / ops.where(weight > 0, weight, 1.0), weight, known, self.top_k)

    def pixel_losses(self, pixels: Pixels) -> Tensor:
        smoothing = self.label_smoothing
        if pixels.binary:
            truth = pixels.truth * (1.0 - smoothing) + smoothing / 2.0 if smoothing else pixels.truth
            return binary_cross_entropy(pixels, truth)
        log_p = log_probabilities(pixels)
        if pixels.ids is not None:
            losses = -at_label(log_p, pixels)
        else:
            losses = -at_truth(log_p, pixels)
        if smoothing:
            losses = (1.0 - smoothing) * losses - smoothing * ops.sum(log_p, axis=pixels.class_axis) / pixels.channels
        return losses


cross_entropy: Function = make_functional(CrossEntropy, "cross_entropy")
