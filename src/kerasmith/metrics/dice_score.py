"""Dice score."""

from typing import Any

from kerasmith._types import Tensor
from kerasmith.base import register
from kerasmith.base.arguments import check_number
from kerasmith.labels.overlap import RegionSums, tversky_index
from kerasmith.metrics.overlap_score import OverlapScore


@register
class DiceScore(OverlapScore):
    """Dice score (F1 of pixels) of thresholded predictions: 2 |A and B| / (|A| + |B|).

    By default the score of each image and class, averaged over images and then over classes, so it does not depend on the
    batch size. It reads labels as `losses.Dice` does: on hard predictions `Dice(smooth=0)` is 1 - this.

    Args:
        num_classes: channels of y_pred; None reads them from the first batch.
        beta: weight of recall against precision: the F-beta score, (1 + beta^2) |A and B| / (beta^2 |A| + |B|) for truth A and
            prediction B; 1 is the Dice score (since 0.2).
        threshold, average, per, include_background, absent, class_weights: see `metrics.overlap_score.OverlapScore`.
        from_logits, axis, labels, ignore_class, multi_label: as in `losses.Dice`.
        name, dtype: see `kerasmith.base.Metric`.

    Call arguments:
        y_true, y_pred, sample_weight: as of `losses.Dice`.

    Returns:
        A scalar in [0, 1]; for `average=None` a dict `<name>_<class>`; NaN without data.

    Example:

    >>> metric = DiceScore()
    >>> metric.update_state([[[0.0], [1.0]], [[0.0], [0.0]]], [[[0.9], [0.8]], [[0.1], [0.2]]])
    >>> round(float(metric.result()), 4)
    0.8333
    """

    def __init__(
        self,
        num_classes: int | None = None,
        threshold: float = 0.5,
        average: str | None = "macro",
        per: str = "image",
        *,
        beta: float = 1.0,
        **kwargs: Any,
    ) -> None:
        check_number("beta", beta, above=0)
        super().__init__(num_classes, threshold, average, per, **kwargs)
        self.beta = beta

    def score(self, sums: RegionSums) -> Tensor:
        share = 1.0 / (1.0 + self.beta**2)
        return tversky_index(sums, share, 1.0 - share, 0.0)
