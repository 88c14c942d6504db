"""Jaccard (IoU) loss."""

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.labels.overlap import RegionSums, tversky_loss
from kerasmith.losses._region import RegionLoss


@register
class Jaccard(RegionLoss):
    """Soft Jaccard (intersection over union) loss, one value per image.

    loss = 1 - (I + s) / (sum(p) + sum(y) - I + s), with I = sum(p y)

    Args:
        smooth, scope, include_background, absent: see `losses.RegionLoss`.
        soft_labels: see `losses.RegionLoss` (since 0.2).
        from_logits, axis, labels, class_weights, ignore_class, multi_label: see `losses.SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments, returns and errors: as `losses.Dice`.

    Example:

    >>> y_true = [[[0.0], [1.0], [1.0]]]
    >>> y_pred = [[[1.0], [1.0], [0.0]]]
    >>> round(float(Jaccard()(y_true, y_pred)), 4)
    0.6667

    Reference: Rahman and Wang, "Optimizing intersection-over-union in deep neural networks for image segmentation", 2016;
    for `soft_labels` Wang et al., "Jaccard metric losses: optimizing the Jaccard index with soft labels", 2023.
    """

    def class_losses(self, sums: RegionSums) -> Tensor:
        return tversky_loss(sums, 1.0, 1.0, self.smooth)


jaccard: Function = make_functional(Jaccard, "jaccard")
