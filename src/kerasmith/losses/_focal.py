"""Focal loss."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.base.arguments import check_number, check_weights
from kerasmith.labels.pixels import Pixels
from kerasmith.losses._pixelwise import (
    PixelLoss,
    at_label,
    binary_cross_entropy,
    channel_row,
    label_values,
    log_probabilities,
)
from kerasmith.numerics.safe import power


@register
class Focal(PixelLoss):
    """Focal loss: cross-entropy with easy pixels turned down.

    loss = alpha_t (1 - p_t) ** gamma (-log p_t) for each pixel, p_t being the probability of its label; then the mean over the
    valid pixels of each image. gamma = 0 without alpha is `CrossEntropy`.

    Args:
        gamma: focusing exponent >= 0.
        alpha: None; or a number: with one channel the weight of the foreground (the background gets 1 - alpha), with
            several a common factor; or a list: one number per channel, with a single channel background and foreground.
        from_logits, axis, labels, class_weights, ignore_class, multi_label: see `losses.SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments, returns and errors: as `losses.CrossEntropy`.

    Example:

    >>> y_true = [[1.0], [0.0]]
    >>> y_pred = [[0.9], [0.4]]
    >>> [round(float(v), 4) for v in Focal(gamma=2.0, reduction="none")(y_true, y_pred)]
    [0.0011, 0.0817]

    Reference: Lin et al., "Focal loss for dense object detection", 2017.
    """

    def __init__(self, gamma: float = 2.0, alpha: float | Sequence[float] | None = None, **kwargs: Any) -> None:
        check_number("gamma", gamma, minimum=0)
        if hasattr(alpha, "__len__"):
            check_weights("alpha", alpha)
        elif alpha is not None:
            check_number("alpha", alpha, minimum=0)
        super().__init__(**kwargs)
        self.gamma = gamma
        self.alpha = alpha

    def pixel_losses(self, pixels: Pixels) -> Tensor:
        if pixels.binary:
            y, p = pixels.truth, pixels.probabilities
            miss = y + p - 2.0 * y * p  # 1 - p_t
            return power(miss, self.gamma) * binary_cross_entropy(pixels, y) * self._binary_alpha(pixels)
        log_p = log_probabilities(pixels)
        if pixels.ids is not None:
            log_p = at_label(log_p, pixels)
        losses = -power(1.0 - ops.exp(log_p), self.gamma) * log_p
        if self.alpha is not None and not hasattr(self.alpha, "__len__"):
            losses = losses * self.alpha
        elif self.alpha is not None and pixels.ids is not None:
            losses = losses * label_values(pixels, self.alpha, "alpha")
        elif self.alpha is not None:
            losses = losses * channel_row(pixels, self.alpha, "alpha")
        return losses if pixels.ids is not None else ops.sum(pixels.truth * losses, axis=pixels.class_axis)

    def _binary_alpha(self, pixels):
        if self.alpha is None:
            return 1.0
        if hasattr(self.alpha, "__len__"):
            return label_values(pixels, self.alpha, "alpha")
        return (1.0 - self.alpha) + (2.0 * self.alpha - 1.0) * pixels.truth


focal: Function = make_functional(Focal, "focal")
