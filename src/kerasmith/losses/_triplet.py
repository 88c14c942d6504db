"""Triplet loss."""

from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.base.arguments import check_choice, check_number
from kerasmith.losses._embedding import EmbeddingLoss
from kerasmith.numerics import triplets
from kerasmith.numerics.pairs import Pairs
from kerasmith.numerics.pairwise_distances import KINDS, paired_distances, pairwise_distances, unit_length

_RULES = {"semi_hard": triplets.semi_hard, "all": triplets.every, "active": triplets.active}


@register
class Triplet(EmbeddingLoss):
    """Triplet loss with mining inside the batch: every positive closer than every negative, by a margin.

    loss = mean over the chosen triplets (a, p, n) of the anchor of max(0, d(a, p) - d(a, n) + margin), or with
    margin="soft" of log(1 + exp(d(a, p) - d(a, n))), which has no kink and never stops to pull

    Mining chooses, for each anchor a:

    - "semi_hard": for each positive the nearest negative farther away than it; the farthest negative if none is;
    - "hard": the farthest positive and the nearest negative, one triplet ("batch hard");
    - "all": every positive with every negative ("batch all");
    - "active": those of "all" with a loss above 0, so that easy triplets do not water down the mean.

    An anchor without a positive or without a negative has value 0; see `losses.EmbeddingLoss` for how it counts.

    Args:
        margin: number >= 0, in the unit of the distance; or "soft" (since 0.2), not with "active": all triplets are above 0.
            With "all" it takes O(B^3) memory.
        mining: one of the above.
        distance: "euclidean", "squared" (Euclidean squared) or "cosine" (1 - cosine similarity).
        normalize: divide embeddings by their length first; the cosine distance does so anyway.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: class ids (B,) or (B, 1).
        y_pred: embeddings (B, D).
        sample_weight: a scalar, (B,) or (B, 1): weights of anchors.

    Returns:
        A scalar >= 0; (B,) for `reduction="none"`. The gradient is finite for equal embeddings too, and memory is O(B^2) for
        every mining.

    Raises:
        ValueError: for labels or embeddings of another rank or batch size, or an unknown option.

    Example:

    >>> y_true = [0, 0, 1]
    >>> y_pred = [[0.0, 0.0], [0.0, 1.0], [0.0, 3.0]]
    >>> [round(float(v), 4) for v in Triplet(margin=1.5, mining="hard", reduction="none")(y_true, y_pred)]
    [0.0, 0.5, 0.0]

    Reference: Schroff, Kalenichenko and Philbin, "FaceNet", 2015 (semi-hard); Hermans, Beyer and Leibe, "In defense of the
    triplet loss for person re-identification", 2017 (the others).
    """

    def __init__(
        self,
        margin: float | str = 1.0,
        mining: str = "semi_hard",
        distance: str = "euclidean",
        normalize: bool = False,
        **kwargs: Any,
    ) -> None:
        if margin != "soft":
            if isinstance(margin, str):
                raise ValueError(f"`margin` must be a number >= 0 or 'soft'. Received: margin={margin!r}")
            check_number("margin", margin, minimum=0)
        elif mining == "active":
            raise ValueError("With margin='soft' every triplet has a loss above 0. Write mining='all' instead of 'active'.")
        check_choice("mining", mining, ("semi_hard", "hard", "all", "active"))
        check_choice("distance", distance, KINDS)
        super().__init__(**kwargs)
        self.margin = margin
        self.mining = mining
        self.distance = distance
        self.normalize = normalize

    def anchor_losses(self, embeddings: Tensor, pairs: Pairs, partners: Tensor | None = None) -> tuple[Tensor, Tensor]:
        if self.normalize and self.distance != "cosine":
            embeddings, partners = (x if x is None else unit_length(x) for x in (embeddings, partners))
        if self.mining == "hard":
            losses = self._hardest_losses(embeddings, pairs, embeddings if partners is None else partners)
        else:
            losses = _RULES[self.mining](pairwise_distances(embeddings, self.distance, partners), pairs, self.margin)
        return losses, ops.logical_and(ops.any(pairs.positive, axis=-1), ops.any(pairs.negative, axis=-1))

    def _hardest_losses(self, embeddings, pairs, partners):
        # Chosen without a gradient; those of 2 B distances then cost next to nothing.
        distances = pairwise_distances(ops.stop_gradient(embeddings), self.distance, ops.stop_gradient(partners))
        near, far = (
            paired_distances(embeddings, ops.take(partners, index, axis=0), self.distance)
            for index in triplets.hardest(distances, pairs)
        )
        return ops.softplus(near - far) if self.margin == "soft" else ops.relu(near - far + self.margin)


triplet: Function = make_functional(Triplet, "triplet")
