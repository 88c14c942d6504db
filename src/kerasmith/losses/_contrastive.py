"""Contrastive loss."""

import dataclasses
from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import Loss, PerSample, make_functional, register
from kerasmith.base.arguments import check_number
from kerasmith.base.weights import Weights
from kerasmith.labels.label_check import check_labels
from kerasmith.labels.label_domain import BINARY
from kerasmith.losses._embedding import per_sample_labels
from kerasmith.numerics.tensors import accumulation_dtype, static_shape

_DIFFERENT = dataclasses.replace(
    BINARY,
    expected="y_true must hold 1 (different) and 0 (same).",
    advice="Write `ids_a != ids_b` for the class ids of the two sides.",
)


@register
class Contrastive(Loss):
    """Contrastive loss of pairs: pulls equal pairs together, pushes different ones a margin apart.

    loss = (1 - y) max(0, d - pos_margin)^2 + y max(0, margin - d)^2, with d the distance of a pair, y = 1 if its sides differ
    and 0 if they are equal.
    There is no factor 1/2; the paper has one.

    Args:
        margin: distance > 0 beyond which a different pair costs nothing.
        pos_margin: distance >= 0 up to which an equal pair costs nothing, so that a class need not be one point (since 0.2).
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: (B,) or (B, 1): 1 = different, 0 = same. Libraries that use 1 = same: pass `1 - y_true`.
        y_pred: distances >= 0 of the pairs, (B,) or (B, 1). A model that computes them as sqrt(sum((a - b)^2)) has an infinite
            slope at distance 0: write `ops.sqrt(ops.maximum(ops.sum((a - b) ** 2, axis=-1), 1e-12))`.
        sample_weight: a scalar, (B,) or (B, 1).

    Returns:
        A scalar >= 0; (B,) for `reduction="none"`.

    Raises:
        ValueError: for other shapes, labels outside 0..1, or a margin that is not above 0.

    Example:

    >>> y_true = [0, 0, 1, 1]
    >>> distance = [0.0, 0.5, 0.25, 2.0]
    >>> [round(float(v), 4) for v in Contrastive(margin=1.0, reduction="none")(y_true, distance)]
    [0.0, 0.25, 0.5625, 0.0]
    >>> [round(float(v), 4) for v in Contrastive(margin=1.0, pos_margin=0.3, reduction="none")(y_true, distance)]
    [0.0, 0.04, 0.5625, 0.0]

    Reference: Hadsell, Chopra and LeCun, "Dimensionality reduction by learning an invariant mapping", 2006.
    """

    _reads_one_array = True

    def __init__(self, margin: float = 1.0, pos_margin: float = 0.0, **kwargs: Any) -> None:
        check_number("margin", margin, above=0)
        check_number("pos_margin", pos_margin, minimum=0)
        super().__init__(**kwargs)
        self.margin = margin
        self.pos_margin = pos_margin

    def weight_shape(self, y_pred: Tensor) -> tuple[int | None, ...]:
        shape = static_shape(y_pred, "y_pred")
        if len(shape) not in (1, 2) or (len(shape) == 2 and shape[1] not in (1, None)):
            raise ValueError(
                f"y_pred must be distances of shape (batch,) or (batch, 1), one a pair. Received: y_pred of shape {shape}. "
                "For embeddings of single samples use `losses.Triplet` or `losses.MultiSimilarity`."
            )
        return shape[:1]

    def per_sample(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> PerSample:
        self.weight_shape(y_pred)
        labels = check_labels(per_sample_labels(y_true, y_pred, "labels"), _DIFFERENT)
        dtype = accumulation_dtype(y_pred.dtype)
        different, distance = ops.cast(labels, dtype), ops.cast(ops.reshape(y_pred, (-1,)), dtype)
        short = ops.relu(self.margin - distance)
        long = ops.relu(distance - self.pos_margin) if self.pos_margin else distance
        return PerSample((1.0 - different) * long * long + different * short * short)


contrastive: Function = make_functional(Contrastive, "contrastive")
