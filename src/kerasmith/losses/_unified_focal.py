"""Unified focal loss: focal cross-entropy plus focal Tversky under three shared parameters."""

from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import LossTerm, make_functional, register
from kerasmith.base.arguments import check_choice, check_number
from kerasmith.base.weights import Weights
from kerasmith.labels.class_reduction import mean_over_classes
from kerasmith.labels.overlap import RegionSums, over_pixels, tversky_loss
from kerasmith.labels.pixels import Pixels
from kerasmith.losses._pixelwise import PixelLoss, at_label, channel_row, label_values, log_probabilities
from kerasmith.losses._region import RegionLoss
from kerasmith.numerics import safe
from kerasmith.numerics.safe import power

_KINDS = ("asymmetric", "symmetric")


@register
class UnifiedFocal(RegionLoss):
    """Unified focal loss, for rare foreground.

    loss = weight * focal + (1 - weight) * tversky

    focal   = mean over pixels of -sum_c d_c y_c (1 - p_c) ** g_c log p_c
    tversky = mean over classes of (1 - TI_c) ** e_c, with TI = (TP + s) / (TP + (1 - delta) FP + delta FN + s)

    d_c is delta for foreground classes and 1 - delta for the background. "symmetric": g_c = gamma and e_c = 1 - gamma for all.
    "asymmetric" spares the rare class: only the background is suppressed in the focal term (g_c = 0 for foreground), and only
    the foreground is enhanced in the other (e_c = 1 for background). Class 0 is the background; one channel is foreground
    against the rest, and so is each channel of `multi_label`.

    Limits: weight=1, gamma=0, delta=.5 is CrossEntropy / 2; weight=0, gamma=0, delta=.5 is Dice over both classes.

    Args:
        weight: 0 to 1, share of the focal cross-entropy.
        delta: 0 to 1, weight of the foreground, and of false negatives against false positives.
        gamma: 0 to 1 (exclusive), how strongly easy background pixels are suppressed and small regions enhanced. The paper's
            gamma is 1 minus this one in the focal term, as in its authors' code.
        kind: "asymmetric" or "symmetric".
        smooth, absent, include_background, scope: of the Tversky term, see `losses.RegionLoss`.
        soft_labels: see `losses.RegionLoss` (since 0.2).
        class_weights: one number per channel; for a single channel two, background and foreground.
        from_logits, axis, labels, ignore_class, multi_label: see `losses.SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments, returns and errors: as `losses.DiceCE`; the terms are "tversky" and "focal".

    Example:

    >>> y_true = [[[0.0], [1.0]]]
    >>> y_pred = [[[0.5], [0.5]]]
    >>> round(float(UnifiedFocal(weight=1.0, delta=0.5, gamma=0.0)(y_true, y_pred)), 4)
    0.3466

    Reference: Yeung et al., "Unified focal loss: generalising Dice and cross entropy-based losses to handle class imbalanced
    medical image segmentation", 2022.
    """

    def __init__(
        self, weight: Tensor = 0.5, *, delta: float = 0.6, gamma: float = 0.5, kind: str = "asymmetric", **kwargs: Any
    ) -> None:
        check_number("weight", weight, minimum=0, maximum=1)
        check_number("delta", delta, minimum=0, maximum=1)
        check_number("gamma", gamma, minimum=0, below=1)
        check_choice("kind", kind, _KINDS)
        super().__init__(**kwargs)
        self.weight = weight
        self.delta = delta
        self.gamma = gamma
        self.kind = kind
        self.focal = _FocalTerm(delta, gamma, kind, class_weights=self.class_weights)

    @property
    def term_names(self) -> tuple[str, ...]:
        return ("tversky", "focal")

    def terms(self, pixels: Pixels, weights: Weights) -> list[LossTerm]:
        focal = self.focal.per_sample(pixels, weights)  # first, as its error tells how many class weights there should be
        return [
            LossTerm("tversky", 1.0 - self.weight, self.per_sample(pixels, weights)),
            LossTerm("focal", self.weight, focal),
        ]

    def image_sums(self, pixels: Pixels) -> RegionSums:
        sums = super().image_sums(pixels)
        return _with_background(sums, pixels) if pixels.binary else sums

    def class_losses(self, sums: RegionSums) -> Tensor:
        losses = tversky_loss(sums, 1.0 - self.delta, self.delta, self.smooth)
        enhanced = power(losses, 1.0 - self.gamma)
        if self.kind == "symmetric":
            return enhanced
        backgrounds = self._backgrounds(sums)
        return ops.concatenate([losses[:, :backgrounds], enhanced[:, backgrounds:]], axis=1)

    def sample_losses(self, sums: RegionSums) -> Tensor:
        values, predicted, actual, known = self.class_losses(sums), sums.predicted, sums.actual, sums.known
        class_weights = None if self.class_weights is None else list(self.class_weights)
        if class_weights is not None and len(class_weights) < actual.shape[1]:  # one for each channel of independent ones
            class_weights = [*class_weights, *class_weights]
        if not self.include_background:
            backgrounds = self._backgrounds(sums)
            values, predicted, actual = (x[:, backgrounds:] for x in (values, predicted, actual))
            known = known if known is None else known[:, backgrounds:]
            class_weights = class_weights and class_weights[backgrounds:]
        if values.shape[1] == 1:
            class_weights = None  # they are (background, foreground) of the pixels, and one class is left here
        return mean_over_classes(
            values, actual, class_weights=class_weights, absent=self.absent, predicted=predicted, known=known
        )

    def _backgrounds(self, sums):
        """How many of the classes, the first ones, are background."""
        return sums.actual.shape[1] // 2 if self.multi_label else 1


unified_focal: Function = make_functional(UnifiedFocal, "unified_focal")


class _FocalTerm(PixelLoss):
    """The focal cross-entropy of `UnifiedFocal`."""

    def __init__(self, delta, gamma, kind, **kwargs):
        super().__init__(**kwargs)
        self.delta = delta
        self.gamma = gamma
        self.kind = kind

    def pixel_losses(self, pixels):
        return self._binary_losses(pixels) if pixels.binary else self._competing_losses(pixels)

    def _binary_losses(self, pixels):
        y, p = pixels.truth, pixels.probabilities
        if pixels.from_logits:
            log_p, log_rest = -ops.softplus(-pixels.scores), -ops.softplus(pixels.scores)
        else:
            floored = safe.probability_floor(p)
            log_p, log_rest = ops.log(floored), ops.log(1.0 - floored)
        foreground, background = -log_p, -power(p, self.gamma) * log_rest
        if self.kind == "symmetric":
            foreground = foreground * power(1.0 - p, self.gamma)
        return self.delta * y * foreground + (1.0 - self.delta) * (1.0 - y) * background

    def _competing_losses(self, pixels):
        log_p = log_probabilities(pixels)
        losses = -log_p * power(1.0 - ops.exp(log_p), self.gamma)
        foreground = [0.0] + [1.0] * (pixels.channels - 1)
        if self.kind == "asymmetric":
            losses = ops.where(channel_row(pixels, foreground, "foreground") > 0, -log_p, losses)
        weights = [1.0 - self.delta] + [self.delta] * (pixels.channels - 1)
        if pixels.ids is not None:
            return at_label(losses, pixels) * label_values(pixels, weights, "weights")
        return ops.sum(pixels.truth * losses * channel_row(pixels, weights, "weights"), axis=pixels.class_axis)


def _with_background(sums, pixels):
    """The sums of a yes/no question for both answers: (B, 2 C), the background first."""
    i, p, y = sums
    if pixels.weight is None:
        total = ops.cast(ops.shape(pixels.scores)[1 if pixels.class_axis != 1 else 2], i.dtype)
    else:
        total = over_pixels(pixels.per_class(pixels.weight), pixels.class_axis)
    background = total - p - y + i, total - p, total - y
    known = None if sums.known is None else ops.concatenate([sums.known, sums.known], axis=1)
    return RegionSums(*(ops.concatenate(pair, axis=1) for pair in zip(background, sums))).with_known(known)
