"""Precision of ranked candidates."""

from kerasmith._types import Tensor
from kerasmith.base import register
from kerasmith.metrics.query_metric import QueryMetric
from kerasmith.numerics.ranked_candidates import Ranking, precision


@register
class QueryPrecision(QueryMetric):
    """Precision@k of queries (since 0.2): the mean share of relevant candidates among the k highest scores.

    Each query has candidates of its own, ranked by their scores, highest first. Equal scores have the last of their ranks. The
    nearest neighbours of embeddings are read by `RPrecision`.

    Args:
        k: how many candidates are looked at, and the divisor, for queries with fewer of them too; None for the number of
            relevant candidates of each query: R-precision.
        capacity, absent: see `metrics.query_metric.QueryMetric`.
        name, dtype: see `kerasmith.base.Metric`; the name is "query_precision", or "query_precision_<k>".

    Call arguments, returns and errors: as `metrics.MRR`.

    Returns:
        A dict `<name>` and `<name>_cases`.

    Example:

    >>> metric = QueryPrecision()
    >>> metric.update_state([[1, 0, 1], [0, 1, -1]], [[0.9, 0.8, 0.7], [0.2, 0.6, 0.0]])
    >>> float(metric.result()["query_precision"])
    0.75
    """

    def score_queries(self, ranking: Ranking) -> tuple[Tensor, Tensor]:
        return precision(ranking, self.k)
