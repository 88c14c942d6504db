"""Normalised discounted cumulative gain."""

from typing import Any

from kerasmith._types import Tensor
from kerasmith.base import register
from kerasmith.base.arguments import check_choice
from kerasmith.metrics.query_metric import QueryMetric
from kerasmith.numerics.ranked_candidates import Ranking, normalized_gain


@register
class NDCG(QueryMetric):
    """Normalised discounted cumulative gain (since 0.2): the mean over queries of DCG / IDCG, for graded relevance.

    DCG = sum over ranks r <= k of gain(relevance at r) / log2(r + 1), IDCG that of the best order

    Each query has candidates of its own, ranked by their scores, highest first. Equal scores share the mean of their
    discounts, as in scikit-learn.

    Args:
        k: only ranks <= k count; None for all.
        gain: "linear": the relevance (scikit-learn, torchmetrics); "exponential": 2^relevance - 1 (LambdaMART, Kaggle).
        capacity, absent: see `metrics.query_metric.QueryMetric`.
        name, dtype: see `kerasmith.base.Metric`; the name is "ndcg", or "ndcg_<k>".

    Call arguments, returns and errors: as `metrics.MRR`.

    Returns:
        A dict `<name>` and `<name>_cases`.

    Example:

    >>> metric = NDCG(k=2)
    >>> metric.update_state([[3, 2, 0]], [[0.2, 0.9, 0.1]])
    >>> round(float(metric.result()["ndcg_2"]), 4)
    0.9134

    Reference: Jarvelin and Kekalainen, "Cumulated gain-based evaluation of IR techniques", 2002.
    """

    def __init__(self, k: int | None = None, *, gain: str = "linear", **kwargs: Any) -> None:
        check_choice("gain", gain, ("linear", "exponential"))
        super().__init__(k, **kwargs)
        self.gain = gain

    def score_queries(self, ranking: Ranking) -> tuple[Tensor, Tensor]:
        return normalized_gain(ranking, self.k, self.gain == "exponential")
