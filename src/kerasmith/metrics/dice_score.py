"""Dice score."""

from kerasmith._types import Tensor
from kerasmith.base import register
from kerasmith.labels.overlap import RegionSums, tversky_index
from kerasmith.metrics.overlap_score import OverlapScore


@register
class DiceScore(OverlapScore):
    """Dice score (F1 of pixels) of thresholded predictions: 2 |A and B| / (|A| + |B|).

    By default the score of each image and class, averaged over images and then over classes, so it does not depend on the
    batch size. It reads labels as `losses.Dice` does: on hard predictions `Dice(smooth=0)` is 1 - this.

    Args:
        num_classes: channels of y_pred; None reads them from the first batch.
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

    def score(self, sums: RegionSums) -> Tensor:
        return tversky_index(sums, 0.5, 0.5, 0.0)
