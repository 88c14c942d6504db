"""Tversky loss."""

from typing import Any

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.base.arguments import check_number
from kerasmith.labels.overlap import RegionSums, tversky_loss
from kerasmith.losses._region import RegionLoss


@register
class Tversky(RegionLoss):
    """Tversky loss: false positives and false negatives weighed separately.

    loss = 1 - (TP + s) / (TP + alpha FP + beta FN + s), with TP = sum(p y), FP = sum(p) - TP, FN = sum(y) - TP.

    alpha = beta = 0.5 is `Dice`, alpha = beta = 1 is `Jaccard`. Raise beta if missed foreground is worse than a false
    alarm.

    Args:
        alpha: weight >= 0 of false positives.
        beta: weight >= 0 of false negatives.
        smooth, scope, include_background, absent: see `losses.RegionLoss`.
        soft_labels: see `losses.RegionLoss` (since 0.2).
        from_logits, axis, labels, class_weights, ignore_class, multi_label: see `losses.SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: ids (B, *spatial) or (B, *spatial, 1), or labels in the shape of y_pred, 0 to 1.
        y_pred: probabilities (or logits) (B, *spatial, C); C = 1 for one binary mask.
        sample_weight: (B,), applied after the loss, or (B, *spatial[, 1]), applied inside the sums.

    Returns:
        A scalar in [0, 1] for weights of 1; (B,) for `reduction="none"`.

    Raises:
        ValueError: for negative weights, shapes that would broadcast, or ids out of range.

    Example:

    >>> y_true = [[[0.0], [0.0], [1.0], [1.0]]]
    >>> y_pred = [[[0.0], [1.0], [1.0], [1.0]]]
    >>> round(float(Tversky(alpha=1.0, beta=0.0)(y_true, y_pred)), 4)
    0.3333
    >>> round(float(Tversky(alpha=0.0, beta=1.0)(y_true, y_pred)), 4)
    0.0

    Reference: Salehi, Erdogmus and Gholipour, "Tversky loss function for image segmentation using 3D fully convolutional
    deep networks", 2017.
    """

    def __init__(self, alpha: float = 0.5, beta: float = 0.5, **kwargs: Any) -> None:
        check_number("alpha", alpha, minimum=0)
        check_number("beta", beta, minimum=0)
        super().__init__(**kwargs)
        self.alpha = alpha
        self.beta = beta

    def class_losses(self, sums: RegionSums) -> Tensor:
        return tversky_loss(sums, self.alpha, self.beta, self.smooth)


tversky: Function = make_functional(Tversky, "tversky")
