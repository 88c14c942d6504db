"""Area under the ROC curve."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasmith._types import Tensor
from kerasmith.base import register
from kerasmith.metrics.ranking import RankingMetric
from kerasmith.numerics.score_histograms import area_under_roc


@register
class AUC(RankingMetric):
    """Area under the ROC curve: the probability that a positive scores higher than a negative, ties counting half.

    AUC = sum over bins b of (P_b / P) (N_(<b) + N_b / 2) / N, from histograms of the scores. The bins are spaced by
    the logit, fine in the tails too, so that saturated probabilities are told apart; logits are binned as they are. The curve
    of precision and recall is `AveragePrecision`.

    Two scores in one bin count as equal, so the result is off by at most half of the share of pairs that fall into one bin,
    which `error_bound` tells.

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
        mean. NaN without positives or without negatives, and for NaN scores.

    Raises:
        ValueError: for shapes that would broadcast, or an unknown option.

    Example:

    >>> metric = AUC()
    >>> metric.update_state([[0], [1], [0], [1]], [[0.999999], [0.9999999], [0.2], [0.9999]])
    >>> float(metric.result())
    0.75

    Reference: Fawcett, "An introduction to ROC analysis", 2006.
    """

    def __init__(
        self, bins: int = 16384, class_names: Sequence[Any] | None = None, *, name: str = "auc", **kwargs: Any
    ) -> None:
        super().__init__(bins, class_names, name=name, **kwargs)

    def area(self, histogram: Tensor) -> Tensor:
        return area_under_roc(histogram)

    def error_bound(self) -> np.ndarray:
        """How far each class can be from the area over unbinned scores: half of the pairs in one bin, (C,) NumPy array."""
        counts = self.histogram()[..., :-1]
        shares = counts / np.maximum(counts.sum(-1, keepdims=True), 1e-30)
        return 0.5 * shares.prod(1).sum(-1)

    def curve(self, channel: int = 0) -> tuple[np.ndarray, ...]:
        """(false positive rates, true positive rates) as NumPy arrays from (0, 0) to (1, 1), one point for each used bin."""
        counts = self.histogram()[channel, :, -2::-1]
        rates = np.cumsum(counts, -1) / np.maximum(counts.sum(-1, keepdims=True), 1e-30)
        used = counts.sum(0) > 0
        return tuple(np.concatenate([[0.0], rate[used]]) for rate in rates)
