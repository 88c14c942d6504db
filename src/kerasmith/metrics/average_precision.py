"""Average precision."""

import numpy as np

from kerasmith._types import Tensor
from kerasmith.base import register
from kerasmith.metrics.ranking import RankingMetric
from kerasmith.numerics.score_histograms import average_precision


@register
class AveragePrecision(RankingMetric):
    """Average precision: the area under the curve of precision and recall, without interpolation.

    AP = sum over thresholds n, from the highest, of (R_n - R_(n-1)) P_n, with recall R and precision P of the scores above the
    threshold, as in scikit-learn. Scores are read in bins, see `AUC`: the result is the exact one of the scores rounded to
    their bins.

    Args:
        bins, class_names, per_class, absent, from_logits, axis, labels, ignore_class, multi_label: see
            `metrics.ranking.RankingMetric`.
        average: see `metrics.ranking.RankingMetric` (since 0.2).
        name, dtype: see `kerasmith.base.Metric`.

    Call arguments:
        y_true: 0 and 1 in the shape of y_pred (soft labels: above 0.5 is 1), (B,) for y_pred of (B, 1), or class ids.
        y_pred: probabilities or logits, (B, 1), (B, C), (B, *spatial, C).
        sample_weight: (B,) or (B, *spatial[, 1]).

    Returns:
        One channel: a scalar in [0, 1]. Several (each class against the rest): a dict `<name>_<average>`, by default
        `<name>_macro`, `<name>_<class>` and `<name>_cases`, the number of classes in the
        mean. NaN without positives, and for NaN scores.

    Raises:
        ValueError: for shapes that would broadcast, or an unknown option.

    Example:

    >>> metric = AveragePrecision()
    >>> metric.update_state([[0], [1], [0], [1]], [[0.9], [0.8], [0.2], [0.7]])
    >>> round(float(metric.result()), 4)
    0.5833

    Reference: Davis and Goadrich, "The relationship between precision-recall and ROC curves", 2006.
    """

    def area(self, histogram: Tensor) -> Tensor:
        return average_precision(histogram)

    def curve(self, channel: int = 0) -> tuple[np.ndarray, ...]:
        """(recall, precision) as NumPy arrays, from the highest score on, one point for each used bin."""
        negatives, positives = np.cumsum(self.histogram()[channel, :, -2::-1], -1)
        used = np.diff(negatives + positives, prepend=0.0) > 0
        recall = positives / max(positives[-1], 1e-30)
        return recall[used], positives[used] / (negatives + positives)[used]
