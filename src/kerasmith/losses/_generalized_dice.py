"""Generalized Dice loss."""

import math

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.labels.class_reduction import class_weight_row
from kerasmith.labels.overlap import RegionSums
from kerasmith.losses._region import RegionLoss
from kerasmith.numerics import safe


@register
class GeneralizedDice(RegionLoss):
    """Generalized Dice loss: one ratio over all classes, small classes weighted up by their squared size.

    loss = 1 - (sum_c w_c I_c + s) / (sum_c w_c (sum(p_c) + sum(y_c)) / 2 + s), with w_c = (m / sum(y_c)) ** 2

    m is the size of the smallest class that is present, so the largest weight is 1 and `smooth` is in pixels of that
    class.

    Args:
        absent: "score": a class absent from y_true weighs as much as the smallest class present; "skip": it weighs 0;
            "skip_both": as "score", where a class without labels and predictions has no part anyway (since 0.2).
        smooth, scope, include_background: see `losses.RegionLoss`.
        soft_labels: see `losses.RegionLoss` (since 0.2).
        from_logits, axis, labels, class_weights, ignore_class, multi_label: see `losses.SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments, returns and errors: as `losses.Dice`.

    Example:

    >>> y_true = [[0, 0, 0, 1]]
    >>> y_pred = [[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]]
    >>> round(float(GeneralizedDice()(y_true, y_pred)), 4)
    0.3125

    Reference: Sudre et al., "Generalised Dice overlap as a deep learning loss function for highly unbalanced
    segmentations", 2017.
    """

    def sample_losses(self, sums: RegionSums) -> Tensor:
        intersection, predicted, actual = sums
        present = actual > 0
        size = ops.where(present, actual, math.inf)
        smallest = ops.min(size, axis=-1, keepdims=True, initial=math.inf)
        # An image without any class: all classes weigh 1, so that false positives still count.
        smallest = ops.where(smallest < math.inf, smallest, ops.ones_like(smallest))
        substitute = math.inf if self.absent == "skip" else smallest
        weight = ops.square(smallest / ops.where(present, actual, substitute))
        row = class_weight_row(actual.shape[-1], self.class_weights, self.include_background)
        if row is not None:
            weight = weight * ops.convert_to_tensor(row, weight.dtype)
        numerator = ops.sum(weight * intersection, axis=-1) + self.smooth
        denominator = ops.sum(weight * (predicted + actual), axis=-1) / 2.0 + self.smooth
        return 1.0 - safe.ratio(numerator, denominator, when_empty=1.0)


generalized_dice: Function = make_functional(GeneralizedDice, "generalized_dice")
