"""Dice plus focal loss."""

from collections.abc import Sequence
from typing import Any

from kerasmith._types import Function, Tensor
from kerasmith.base import LossTerm, make_functional, register
from kerasmith.base.arguments import check_choice, check_number
from kerasmith.base.weights import Weights
from kerasmith.labels.overlap import RegionSums, tversky_loss
from kerasmith.labels.pixels import Pixels
from kerasmith.losses._focal import Focal
from kerasmith.losses._region import RegionLoss


@register
class DiceFocal(RegionLoss):
    """Weighted sum of the Dice and the focal loss.

    loss = dice_weight * dice + focal_weight * focal

    Args:
        dice_weight: factor >= 0 of the Dice loss.
        focal_weight: factor >= 0 of the focal loss.
        gamma, alpha: of the focal loss, see `losses.Focal`.
        pos_weight: the same (since 0.2).
        label_smoothing: the same (since 0.2).
        focal_background: `include_background` of the focal loss (since 0.2).
        class_weights: one number per channel; for a single channel two, background and foreground (focal loss only).
        smooth, scope, include_background, absent: of the Dice loss, see `losses.RegionLoss`.
        soft_labels: see `losses.RegionLoss` (since 0.2).
        from_logits, axis, labels, ignore_class, multi_label: see `losses.SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments, returns and errors: as `losses.Dice` and `losses.Focal`.

    Example:

    >>> y_true = [[[0.0], [1.0]]]
    >>> y_pred = [[[0.5], [0.5]]]
    >>> round(float(DiceFocal()(y_true, y_pred)), 4)
    0.3366

    Reference: Zhu et al., "AnatomyNet", 2019.
    """

    def __init__(
        self,
        dice_weight: float = 0.5,
        focal_weight: float = 0.5,
        *,
        gamma: float = 2.0,
        alpha: float | Sequence[float] | None = None,
        pos_weight: float | Sequence[float] | None = None,
        label_smoothing: float = 0.0,
        focal_background: bool = True,
        **kwargs: Any,
    ) -> None:
        check_number("dice_weight", dice_weight, minimum=0)
        check_number("focal_weight", focal_weight, minimum=0)
        super().__init__(**kwargs)
        self.dice_weight = dice_weight
        self.focal_weight = focal_weight
        self.gamma = gamma
        self.alpha = alpha
        self.pos_weight = pos_weight
        self.label_smoothing = label_smoothing
        self.focal_background = focal_background
        check_choice("focal_background", focal_background, (False, True))
        of_focal = {"pos_weight": pos_weight, "label_smoothing": label_smoothing, "include_background": focal_background}
        self.focal = Focal(gamma, alpha, class_weights=self.class_weights, **of_focal)

    _weighs_pixels = True

    @property
    def term_names(self) -> tuple[str, ...]:
        return ("dice", "focal")

    def class_losses(self, sums: RegionSums) -> Tensor:
        return tversky_loss(sums, 0.5, 0.5, self.smooth)

    def terms(self, pixels: Pixels, weights: Weights) -> list[LossTerm]:
        return [
            LossTerm("dice", self.dice_weight, self.per_sample(pixels, weights)),
            LossTerm("focal", self.focal_weight, self.focal.per_sample(pixels, weights)),
        ]


dice_focal: Function = make_functional(DiceFocal, "dice_focal")
