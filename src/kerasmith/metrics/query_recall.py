"""Recall of ranked candidates."""

from typing import Any

from kerasmith._types import Tensor
from kerasmith.base import register
from kerasmith.base.arguments import check_choice, check_integer
from kerasmith.metrics.query_metric import QueryMetric
from kerasmith.numerics.ranked_candidates import Ranking, recall


@register
class QueryRecall(QueryMetric):
    """Recall@k of queries (since 0.2): the mean share of the relevant candidates that are among the k highest scores.

    Each query has candidates of its own, ranked by their scores, highest first. Equal scores have the last of their ranks. The
    nearest neighbours of embeddings are read by `RetrievalRecall`.

    Args:
        k: how many candidates are looked at.
        definition: "share": recall; "any": 1 if one of them is relevant, the hit rate.
        capacity, absent: see `metrics.query_metric.QueryMetric`.
        name, dtype: see `kerasmith.base.Metric`; the name is "query_recall_<k>".

    Call arguments, returns and errors: as `metrics.MRR`.

    Returns:
        A dict `<name>` and `<name>_cases`.

    Example:

    >>> metric = QueryRecall(k=2)
    >>> metric.update_state([[1, 0, 1], [0, 1, -1]], [[0.9, 0.8, 0.7], [0.2, 0.6, 0.0]])
    >>> float(metric.result()["query_recall_2"])
    0.75
    """

    def __init__(self, k: int = 10, *, definition: str = "share", **kwargs: Any) -> None:
        check_integer("k", k, minimum=1)
        check_choice("definition", definition, ("share", "any"))
        super().__init__(k, **kwargs)
        self.definition = definition

    def score_queries(self, ranking: Ranking) -> tuple[Tensor, Tensor]:
        return recall(ranking, self.k, self.definition == "any")
