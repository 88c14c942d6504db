"""Normalised temperature-scaled cross-entropy."""

from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.base.arguments import check_number
from kerasmith.losses._embedding import EmbeddingLoss
from kerasmith.numerics.pairs import Pairs, row_logsumexp, row_mean
from kerasmith.numerics.pairwise_distances import cosine_similarity


@register
class NTXent(EmbeddingLoss):
    """NT-Xent loss (InfoNCE on cosine similarities, the loss of SimCLR).

    loss = mean over the positives p of the anchor of -log(e_p / (e_p + sum over its negatives n of e_n)),
    with e_j = exp(cos(a, j) / temperature)

    The other positives of an anchor are not in the denominator; `losses.SupCon` has them there. For SimCLR embed both views
    of N samples, stack them to (2 N, D) and pass y_true = [0, .., N-1, 0, .., N-1]: each anchor then has one positive and
    2 N - 2 negatives. As the temperature falls to 0, temperature * loss tends to max(0, max_n cos(a, n) - cos(a, p)).

    An anchor without a positive has value 0, and so have all anchors of a batch of one class; see
    `losses.EmbeddingLoss` for how they count.

    Args:
        temperature: number > 0.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: class ids (B,) or (B, 1).
        y_pred: embeddings (B, D) of any length; a zero vector has similarity 0 to all and gradient 0.
        sample_weight: a scalar, (B,) or (B, 1): weights of anchors.

    Returns:
        A scalar >= 0; (B,) for `reduction="none"`. Exponents are taken in float32 at least, whatever the embeddings are.

    Raises:
        ValueError: for labels or embeddings of another rank or batch size, or a temperature that is not above 0.

    Example:

    >>> y_true = [0, 1, 0, 1]
    >>> y_pred = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.1], [0.1, 1.0]]
    >>> round(float(NTXent(temperature=0.5)(y_true, y_pred)), 4)
    0.2899

    Reference: Chen, Kornblith, Norouzi and Hinton, "A simple framework for contrastive learning of visual representations",
    2020.
    """

    def __init__(self, temperature: float = 0.07, **kwargs: Any) -> None:
        check_number("temperature", temperature, above=0)
        super().__init__(**kwargs)
        self.temperature = temperature

    def anchor_losses(self, embeddings: Tensor, pairs: Pairs, partners: Tensor | None = None) -> tuple[Tensor, Tensor]:
        scores = cosine_similarity(embeddings, partners) / self.temperature
        negatives = row_logsumexp(scores, pairs.negative)
        # -log(e_p / (e_p + N)) = log(1 + exp(log N - s_p))
        losses = row_mean(ops.softplus(negatives[:, None] - scores), pairs.positive)
        return losses, ops.any(pairs.positive, axis=-1)


nt_xent: Function = make_functional(NTXent, "nt_xent")
