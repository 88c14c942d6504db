"""Dice loss."""

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.labels.overlap import RegionSums, tversky_loss
from kerasmith.losses._region import RegionLoss


@register
class Dice(RegionLoss):
    """Soft Dice loss, one value per image.

    loss = 1 - (I + s) / ((sum(p) + sum(y)) / 2 + s), with I = sum(p y)

    Args:
        from_logits: whether y_pred are logits. A sigmoid on top of a sigmoid trains without an error and is wrong: perfect
            probabilities then score .97 on 1 % foreground.
        axis, labels, class_weights, ignore_class, multi_label: see `losses.SegmentationLoss`.
        smooth, scope, include_background, absent: see `losses.RegionLoss`.
        soft_labels: see `losses.RegionLoss` (since 0.2).
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: ids (B, *spatial) or (B, *spatial, 1), or labels in the shape of y_pred, 0 to 1.
        y_pred: probabilities (or logits) (B, *spatial, C); C = 1 for one binary mask.
        sample_weight: (B,), applied after the loss, or (B, *spatial[, 1]), applied inside the sums.

    Returns:
        A scalar in [0, 1] for weights of 1; (B,) for `reduction="none"`.

    Raises:
        ValueError: for shapes that would broadcast, ids out of range, or an unknown option.

    Example:

    >>> y_true = [[[0.0], [1.0]], [[0.0], [0.0]]]
    >>> y_pred = [[[0.5], [0.5]], [[0.0], [0.0]]]
    >>> [round(float(v), 4) for v in Dice(reduction="none")(y_true, y_pred)]
    [0.5, 0.0]

    Reference: Milletari, Navab and Ahmadi, "V-Net", 2016 (there with squared terms in the denominator);
    for `soft_labels` Wang et al., "Dice semimetric losses: optimizing the Dice score with soft labels", 2023.
    """

    def class_losses(self, sums: RegionSums) -> Tensor:
        return tversky_loss(sums, 0.5, 0.5, self.smooth)


dice: Function = make_functional(Dice, "dice")
