"""Focal loss."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.base.arguments import check_choice, check_number, check_weights
from kerasmith.labels.pixels import Pixels
from kerasmith.losses._pixelwise import (
    PixelLoss,
    at_label,
    at_truth,
    binary_cross_entropy,
    channel_row,
    label_values,
    log_probabilities,
    two_values,
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
        pos_weight: factor >= 0 of the foreground of independent channels, a number or one per channel: the loss times
            1 + (pos_weight - 1) y. For competing classes write `alpha=[...]` (since 0.2).
        label_smoothing: 0 to 1; labels become (1 - e) y + e / C (one channel, independent ones: (1 - e) y + e / 2), as in
            `losses.CrossEntropy`. Each class then adds alpha_c y_c (1 - p_c) ** gamma (-log p_c) (since 0.2).
        include_background: if False, class 0 is left out (unless there is only one channel): of competing classes pixels
            labelled with it add 0, and still count in the mean; of independent ones the mean is over the others (since 0.2).
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

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: float | Sequence[float] | None = None,
        *,
        pos_weight: float | Sequence[float] | None = None,
        label_smoothing: float = 0.0,
        include_background: bool = True,
        **kwargs: Any,
    ) -> None:
        check_number("gamma", gamma, minimum=0)
        check_number("label_smoothing", label_smoothing, minimum=0, maximum=1)
        check_choice("include_background", include_background, (False, True))
        if hasattr(pos_weight, "__len__"):
            check_weights("pos_weight", pos_weight)
        elif pos_weight is not None:
            check_number("pos_weight", pos_weight, minimum=0)
        if hasattr(alpha, "__len__"):
            check_weights("alpha", alpha)
        elif alpha is not None:
            check_number("alpha", alpha, minimum=0)
        super().__init__(**kwargs)
        self.gamma = gamma
        self.alpha = alpha
        self.pos_weight = pos_weight
        self.label_smoothing = label_smoothing
        self.include_background = include_background

    def pixel_losses(self, pixels: Pixels) -> Tensor:
        return self._binary_losses(pixels) if pixels.binary else self._competing_losses(pixels)

    def _binary_losses(self, pixels):
        y, p, smoothing = pixels.truth, pixels.probabilities, self.label_smoothing
        if smoothing:
            y = (1.0 - smoothing) * y + smoothing / 2.0
        miss = y + p - 2.0 * y * p  # 1 - p_t
        losses = power(miss, self.gamma) * binary_cross_entropy(pixels, y)
        if self.alpha is not None:
            losses = losses * self._binary_alpha(pixels, y)
        if self.pos_weight is not None:
            many = hasattr(self.pos_weight, "__len__") and (pixels.channels > 1 or len(self.pos_weight) != 1)
            weight = channel_row(pixels, self.pos_weight, "pos_weight") if many else float(np.squeeze(self.pos_weight))
            losses = losses * (1.0 + (weight - 1.0) * y)
        if self.include_background or pixels.channels == 1:
            return losses
        share = pixels.channels / (pixels.channels - 1.0)  # the mean is over all channels
        return losses * channel_row(pixels, [0.0] + [share] * (pixels.channels - 1), "include_background")

    def _binary_alpha(self, pixels, y):
        if not hasattr(self.alpha, "__len__"):
            if self.alpha > 1:
                raise ValueError(
                    f"One `alpha` weighs the foreground, and 1 - alpha the background, which must not be negative. Received: "
                    f"alpha={self.alpha}. Write `pos_weight={self.alpha}` to weigh the foreground so and the background by 1."
                )
            background, foreground = 1.0 - self.alpha, self.alpha
        elif pixels.class_axis is None:
            background, foreground = two_values(self.alpha, "alpha")
        else:
            return channel_row(pixels, self.alpha, "alpha")
        return background + (foreground - background) * y

    def _competing_losses(self, pixels):
        if self.pos_weight is not None:
            raise ValueError(
                "`pos_weight` weighs the foreground of independent channels. Received: "
                f"pos_weight={self.pos_weight} for {pixels.channels} competing classes. Write `alpha=[...]` with one number "
                "per class, or `multi_label=True` if the channels are independent masks."
            )
        every, smoothing = log_probabilities(pixels), self.label_smoothing
        log_p = at_label(every, pixels) if pixels.ids is not None and not smoothing else every
        losses = -power(1.0 - ops.exp(log_p), self.gamma) * log_p
        at_classes = log_p is every
        if self.alpha is not None and not hasattr(self.alpha, "__len__"):
            losses = losses * self.alpha
        elif self.alpha is not None:
            losses = losses * (channel_row if at_classes else label_values)(pixels, self.alpha, "alpha")
        if not self.include_background:
            foreground = [0.0] + [1.0] * (pixels.channels - 1)
            losses = losses * (channel_row if at_classes else label_values)(pixels, foreground, "include_background")
        if not at_classes:
            return losses
        of_label = at_label(losses, pixels) if pixels.ids is not None else at_truth(losses, pixels)
        if not smoothing:
            return of_label
        return (1.0 - smoothing) * of_label + smoothing * ops.sum(losses, axis=pixels.class_axis) / pixels.channels


focal: Function = make_functional(Focal, "focal")
