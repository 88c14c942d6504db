"""Mean reciprocal rank."""

from kerasmith._types import Tensor
from kerasmith.base import register
from kerasmith.metrics.query_metric import QueryMetric
from kerasmith.numerics.ranked_candidates import Ranking, reciprocal_rank


@register
class MRR(QueryMetric):
    """Mean reciprocal rank (since 0.2): the mean over queries of 1 / r, r the rank of the first relevant candidate.

    Each query has candidates of its own, ranked by their scores, highest first. Equal scores have the last of their ranks, so
    that equal scores for all are no success. The nearest neighbours of embeddings are read by `RetrievalRecall`.

    Args:
        k: 1 / r is 0 where r > k; None for no bound.
        capacity, absent: see `metrics.query_metric.QueryMetric`.
        name, dtype: see `kerasmith.base.Metric`; the name is "mrr", or "mrr_<k>".

    Call arguments:
        y_true: (B, L) relevance, above 0 is relevant and below 0 padding; or (B, 2), the id of the query and the relevance of
            each candidate.
        y_pred: scores, (B, L); or (B, 1), (B,) with query ids.
        sample_weight: (B,). Of lists: the weight of a query; or (B, L), where 0 leaves a candidate out. With query ids: 0
            leaves a candidate out, and a query weighs as much as its candidates in the mean.

    Returns:
        A dict `<name>` and `<name>_cases`, the queries in the mean. NaN without data, and for NaN scores or relevance.

    Raises:
        ValueError: for shapes of neither form, ids that would be rounded (compiled: NaN), or more candidates than `capacity`.
        RuntimeError: with query ids on several replicas.

    Example:

    >>> metric = MRR()
    >>> metric.update_state([[7, 0], [7, 1], [8, 1], [7, 0], [8, 0]], [[0.9], [0.8], [0.6], [0.2], [0.1]])
    >>> float(metric.result()["mrr"])
    0.75

    Reference: Voorhees, "The TREC-8 question answering track report", 1999.
    """

    def score_queries(self, ranking: Ranking) -> tuple[Tensor, Tensor]:
        return reciprocal_rank(ranking, self.k)
