"""Supervised contrastive loss."""

from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.base.arguments import check_number
from kerasmith.losses._embedding import EmbeddingLoss
from kerasmith.numerics.pairs import Pairs, row_logsumexp, row_mean
from kerasmith.numerics.pairwise_distances import cosine_similarity


@register
class SupCon(EmbeddingLoss):
    """Supervised contrastive loss, with the sum over positives outside the logarithm.

    loss = log(sum over all others j of e_j) - mean over the positives p of cos(a, p) / temperature,
    with e_j = exp(cos(a, j) / temperature)

    With one positive per anchor this is `losses.NTXent`. The authors' code multiplies by temperature / base_temperature, both
    .07 there; write `(temperature / 0.07) * SupCon(temperature)` for another ratio. Several views of one sample are several
    samples with one id.

    An anchor without a positive has value 0; see `losses.EmbeddingLoss` for how it counts. A batch of one class
    still has a loss, at its smallest where all similarities are equal.

    Args:
        temperature: number > 0.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments, returns and errors: as `losses.NTXent`.

    Example:

    >>> y_true = [0, 0, 0, 1, 1]
    >>> y_pred = [[1.0, 0.0], [1.0, 0.1], [1.0, -0.1], [0.0, 1.0], [0.1, 1.0]]
    >>> round(float(SupCon(temperature=0.5)(y_true, y_pred)), 4)
    0.6538

    Reference: Khosla et al., "Supervised contrastive learning", 2020, equation 2.
    """

    def __init__(self, temperature: float = 0.1, **kwargs: Any) -> None:
        check_number("temperature", temperature, above=0)
        super().__init__(**kwargs)
        self.temperature = temperature

    def anchor_losses(self, embeddings: Tensor, pairs: Pairs, partners: Tensor | None = None) -> tuple[Tensor, Tensor]:
        scores = cosine_similarity(embeddings, partners) / self.temperature
        total = row_logsumexp(scores, ops.logical_or(pairs.positive, pairs.negative))
        losses = row_mean(total[:, None] - scores, pairs.positive)
        return losses, ops.any(pairs.positive, axis=-1)


sup_con: Function = make_functional(SupCon, "sup_con")
