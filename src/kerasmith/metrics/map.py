"""Mean average precision of ranked candidates."""

from kerasmith._types import Tensor
from kerasmith.base import register
from kerasmith.metrics.query_metric import QueryMetric
from kerasmith.numerics.ranked_candidates import Ranking, average_precision


@register
class MAP(QueryMetric):
    """Mean average precision (since 0.2): the mean over queries of AP.

    AP = sum over relevant candidates of rank r <= k of P(r) / min(R, k), with P(r) the share of relevant candidates down to
    rank r and R the relevant ones of the query; without `k` the divisor is R.

    Each query has candidates of its own, ranked by their scores, highest first. Equal scores have the last of their ranks, as
    in scikit-learn. One ranking of all data is `AveragePrecision`; objects in images are not what this MAP is about.

    Args:
        k: only candidates of rank <= k count; None for all.
        capacity, absent: see `metrics.query_metric.QueryMetric`.
        name, dtype: see `kerasmith.base.Metric`; the name is "map", or "map_<k>".

    Call arguments, returns and errors: as `metrics.MRR`.

    Returns:
        A dict `<name>` and `<name>_cases`.

    Example:

    >>> metric = MAP()
    >>> metric.update_state([[1, 0, 1], [0, 1, -1]], [[0.9, 0.8, 0.7], [0.2, 0.6, 0.0]])
    >>> round(float(metric.result()["map"]), 4)
    0.9167

    Reference: Manning, Raghavan and Schuetze, "Introduction to information retrieval", 2008, chapter 8.
    """

    def score_queries(self, ranking: Ranking) -> tuple[Tensor, Tensor]:
        return average_precision(ranking, self.k)
