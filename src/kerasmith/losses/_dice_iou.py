"""Dice plus Jaccard loss."""

from typing import Any

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.base.arguments import check_number
from kerasmith.labels.overlap import RegionSums, tversky_loss
from kerasmith.losses._region import RegionLoss


@register
class DiceIoU(RegionLoss):
    """Weighted mean of the Dice and the Jaccard loss, from the same sums.

    loss = dice_weight (1 - dice) + (1 - dice_weight) (1 - iou)

    Args:
        dice_weight: share of the Dice loss, 0 to 1.
        smooth, scope, include_background, absent: see `losses.RegionLoss`.
        soft_labels: see `losses.RegionLoss` (since 0.2).
        from_logits, axis, labels, class_weights, ignore_class, multi_label: see `losses.SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments, returns and errors: as `losses.Dice`.

    Example:

    >>> y_true = [[[0.0], [1.0], [1.0]]]
    >>> y_pred = [[[1.0], [1.0], [0.0]]]
    >>> round(float(DiceIoU()(y_true, y_pred)), 4)
    0.5833
    """

    def __init__(self, dice_weight: float = 0.5, **kwargs: Any) -> None:
        check_number("dice_weight", dice_weight, minimum=0, maximum=1)
        super().__init__(**kwargs)
        self.dice_weight = dice_weight

    def class_losses(self, sums: RegionSums) -> Tensor:
        dice = tversky_loss(sums, 0.5, 0.5, self.smooth)
        jaccard = tversky_loss(sums, 1.0, 1.0, self.smooth)
        return self.dice_weight * dice + (1.0 - self.dice_weight) * jaccard


dice_iou: Function = make_functional(DiceIoU, "dice_iou")
