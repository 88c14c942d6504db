"""Log-cosh Dice loss."""

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.labels.overlap import RegionSums
from kerasmith.losses._dice import Dice


@register
class LogCoshDice(Dice):
    """Log-cosh Dice loss: the Dice loss of each image and class, smoothed near 0.

    loss = log(cosh(1 - dice))

    Args:
        smooth, scope, include_background, absent: see `losses.RegionLoss`.
        soft_labels: see `losses.RegionLoss` (since 0.2).
        from_logits, axis, labels, class_weights, ignore_class, multi_label: see `losses.SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments, returns and errors: as `losses.Dice`.

    Example:

    >>> y_true = [[[0.0], [1.0]]]
    >>> y_pred = [[[1.0], [0.0]]]
    >>> round(float(LogCoshDice()(y_true, y_pred)), 4)
    0.4338

    Reference: Jadon, "A survey of loss functions for semantic segmentation", 2020.
    """

    def class_losses(self, sums: RegionSums) -> Tensor:
        # cosh(x) = 1 + 2 sinh(x / 2) ** 2 keeps small losses, which cosh itself rounds to 1. Keras' sinh rounds float64 to
        # float32 on JAX, expm1 does not.
        half = super().class_losses(sums) / 2.0
        return ops.log1p(ops.square(ops.expm1(half) - ops.expm1(-half)) / 2.0)


log_cosh_dice: Function = make_functional(LogCoshDice, "log_cosh_dice")
