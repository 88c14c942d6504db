"""Dice plus cross-entropy."""

from typing import Any

from kerasmith._types import Function, Tensor
from kerasmith.base import LossTerm, make_functional, register
from kerasmith.base.arguments import check_number
from kerasmith.base.weights import Weights
from kerasmith.labels.overlap import RegionSums, tversky_loss
from kerasmith.labels.pixels import Pixels
from kerasmith.losses._cross_entropy import CrossEntropy
from kerasmith.losses._region import RegionLoss


@register
class DiceCE(RegionLoss):
    """Weighted sum of the Dice loss and the cross-entropy ("combo loss").

    loss = dice_weight * dice + ce_weight * cross_entropy

    Both terms read the same predictions, as probabilities or as logits. Pixel weights follow the rule of each term: inside the
    sums of Dice, as a weight map in the cross-entropy.

    Args:
        dice_weight: factor >= 0 of the Dice loss.
        ce_weight: factor >= 0 of the cross-entropy.
        label_smoothing: of the cross-entropy.
        class_weights: one number per channel; for a single channel two, background and foreground (cross-entropy only).
        smooth, scope, include_background, absent: of the Dice loss, see `losses.RegionLoss`.
        soft_labels: see `losses.RegionLoss` (since 0.2).
        from_logits, axis, labels, ignore_class, multi_label: see `losses.SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments, returns and errors: as `losses.Dice` and `losses.CrossEntropy`.

    Example:

    >>> y_true = [[[0.0], [1.0]]]
    >>> y_pred = [[[0.5], [0.5]]]
    >>> round(float(DiceCE()(y_true, y_pred)), 4)
    0.5966

    Reference: Taghanaki et al., "Combo loss: handling input and output imbalance in multi-organ segmentation", 2019.
    """

    def __init__(
        self, dice_weight: float = 0.5, ce_weight: float = 0.5, *, label_smoothing: float = 0.0, **kwargs: Any
    ) -> None:
        check_number("dice_weight", dice_weight, minimum=0)
        check_number("ce_weight", ce_weight, minimum=0)
        super().__init__(**kwargs)
        self.dice_weight = dice_weight
        self.ce_weight = ce_weight
        self.label_smoothing = label_smoothing
        self.cross_entropy = CrossEntropy(label_smoothing=label_smoothing, class_weights=self.class_weights)

    _weighs_pixels = True

    @property
    def term_names(self) -> tuple[str, ...]:
        return ("dice", "ce")

    def class_losses(self, sums: RegionSums) -> Tensor:
        return tversky_loss(sums, 0.5, 0.5, self.smooth)

    def terms(self, pixels: Pixels, weights: Weights) -> list[LossTerm]:
        return [
            LossTerm("dice", self.dice_weight, self.per_sample(pixels, weights)),
            LossTerm("ce", self.ce_weight, self.cross_entropy.per_sample(pixels, weights)),
        ]


dice_ce: Function = make_functional(DiceCE, "dice_ce")
