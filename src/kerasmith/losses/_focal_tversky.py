"""Focal Tversky loss."""

from typing import Any

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.base.arguments import check_number
from kerasmith.labels.overlap import RegionSums
from kerasmith.losses._tversky import Tversky
from kerasmith.numerics.safe import power


@register
class FocalTversky(Tversky):
    """Focal Tversky loss: the Tversky loss of each image and class, raised to a power.

    loss = (1 - TI) ** gamma, with TI = (TP + s) / (TP + alpha FP + beta FN + s)

    gamma below 1 makes easy images count more than in `Tversky`, above 1 hard ones. The gradient stays finite at a perfect
    prediction, where the power itself has an infinite slope.

    Args:
        alpha: weight >= 0 of false positives.
        beta: weight >= 0 of false negatives.
        gamma: exponent > 0. The paper writes 1 / gamma with gamma = 4 / 3, which is 0.75 here.
        smooth, scope, include_background, absent: see `losses.RegionLoss`.
        soft_labels: see `losses.RegionLoss` (since 0.2).
        from_logits, axis, labels, class_weights, ignore_class, multi_label: see `losses.SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments, returns and errors: as `losses.Tversky`.

    Example:

    >>> y_true = [[[0.0], [0.0], [1.0], [1.0]]]
    >>> y_pred = [[[0.0], [1.0], [1.0], [1.0]]]
    >>> round(float(FocalTversky(alpha=1.0, beta=0.0, gamma=2.0)(y_true, y_pred)), 4)
    0.1111

    Reference: Abraham and Khan, "A novel focal Tversky loss function with improved attention U-Net for lesion
    segmentation", 2019. As there, and unlike libraries that take the power after the mean, each class has its own power.
    """

    def __init__(self, alpha: float = 0.7, beta: float = 0.3, gamma: float = 0.75, **kwargs: Any) -> None:
        check_number("gamma", gamma, above=0)
        super().__init__(alpha, beta, **kwargs)
        self.gamma = gamma

    def class_losses(self, sums: RegionSums) -> Tensor:
        return power(super().class_losses(sums), self.gamma)


focal_tversky: Function = make_functional(FocalTversky, "focal_tversky")
