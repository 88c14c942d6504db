"""Multi-similarity loss."""

from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.base.arguments import check_number
from kerasmith.losses._embedding import EmbeddingLoss
from kerasmith.numerics.pairs import Pairs, hard_pairs, row_logsumexp
from kerasmith.numerics.pairwise_distances import cosine_similarity


@register
class MultiSimilarity(EmbeddingLoss):
    """Multi-similarity loss, with its own mining.

    loss = log(1 + sum over positives p of exp(-alpha (s_p - base))) / alpha
         + log(1 + sum over negatives n of exp(beta (s_n - base))) / beta, with s the cosine similarity to the anchor

    Mining keeps the positives with s_p < max_n s_n + epsilon and the negatives with s_n > min_p s_p - epsilon. An anchor that
    keeps no pair has value 0: one without a positive or a negative, or one whose pairs are all easy. See
    `losses.EmbeddingLoss` for how it counts. Without mining any other sample makes a pair.

    Args:
        alpha: number > 0, sharpness of the pull on positives.
        beta: number > 0, sharpness of the push on negatives.
        base: the similarity around which both turn, the threshold.
        epsilon: margin of the mining, or None to keep every pair.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: class ids (B,) or (B, 1).
        y_pred: embeddings (B, D) of any length; a zero vector has similarity 0 to all and gradient 0.
        sample_weight: a scalar, (B,) or (B, 1): weights of anchors.

    Returns:
        A scalar >= 0; (B,) for `reduction="none"`.

    Raises:
        ValueError: for labels or embeddings of another rank or batch size, or numbers out of range.

    Example:

    >>> y_true = [0, 0, 1, 1]
    >>> y_pred = [[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [-1.0, 1.0]]
    >>> round(float(MultiSimilarity()(y_true, y_pred)), 4)
    0.2304

    Reference: Wang et al., "Multi-similarity loss with general pair weighting for deep metric learning", 2019.
    """

    def __init__(self, alpha: float = 2.0, beta: float = 50.0, base: float = 0.5, epsilon: float = 0.1, **kwargs: Any) -> None:
        check_number("alpha", alpha, above=0)
        check_number("beta", beta, above=0)
        check_number("base", base)
        if epsilon is not None:
            check_number("epsilon", epsilon, minimum=0)
        super().__init__(**kwargs)
        self.alpha = alpha
        self.beta = beta
        self.base = base
        self.epsilon = epsilon

    def anchor_losses(self, embeddings: Tensor, pairs: Pairs, partners: Tensor | None = None) -> tuple[Tensor, Tensor]:
        similarity = cosine_similarity(embeddings, partners)
        if self.epsilon is not None:
            pairs = hard_pairs(ops.stop_gradient(similarity), pairs, self.epsilon)
        excess = similarity - self.base
        pull = ops.softplus(row_logsumexp(-self.alpha * excess, pairs.positive)) / self.alpha
        push = ops.softplus(row_logsumexp(self.beta * excess, pairs.negative)) / self.beta
        return pull + push, ops.any(ops.logical_or(pairs.positive, pairs.negative), axis=-1)


multi_similarity: Function = make_functional(MultiSimilarity, "multi_similarity")
