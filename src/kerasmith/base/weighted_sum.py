"""A weighted sum of losses."""

from collections.abc import Sequence
from typing import Any

import keras

from kerasmith._types import Tensor
from kerasmith.base.algebra import Algebra
from kerasmith.base.arguments import check_number
from kerasmith.base.configured import register
from kerasmith.base.keras_loss import KerasLoss
from kerasmith.base.label_message import telling_for
from kerasmith.base.loss import Loss, LossTerm
from kerasmith.base.weights import Weights


@register
class WeightedSum(Loss):
    """Weighted sum of losses; what `0.3 * a + b` makes.

    loss = sum_i factor_i * loss_i

    Every loss reads labels and predictions as it would alone, and all are reduced in the same way: the sum is the sum of their
    values. `callbacks.LossTerms` shows each term, without its factor, under the name of its loss; a name that occurs
    twice gets a number. Nothing is computed twice.

    Args:
        losses: a list of losses: kerasmith's, Keras' own, or what `keras.losses.get` understands.
        factors: one number per loss; 1 by default.
        reduction, name, dtype: see `kerasmith.base.Loss`; the reduction applies to every term.

    Raises:
        ValueError: for an empty list or another number of factors; from `a + b` if their reductions differ.

    Example:

    >>> from kerasmith.losses import CrossEntropy, Dice
    >>> loss = 0.3 * Dice() + CrossEntropy(name="ce")
    >>> loss.term_names
    ('dice', 'ce')
    >>> round(float(loss([[[0.0], [1.0]]], [[[0.5], [0.5]]])), 4)
    0.8431
    """

    def __init__(self, losses: Sequence[Any], factors: Sequence[float] | None = None, **kwargs: Any) -> None:
        losses = [as_loss(loss) for loss in losses]
        factors = [1.0] * len(losses) if factors is None else list(factors)
        if not losses or len(losses) != len(factors):
            raise ValueError(f"One factor for each loss. Received: {len(losses)} losses, {len(factors)} factors")
        for i, factor in enumerate(factors):
            check_number(f"factors[{i}]", factor)
        super().__init__(**kwargs)
        self.losses = losses
        self.factors = [float(factor) for factor in factors]

    @property
    def term_names(self) -> tuple[str, ...] | None:
        if any(loss.term_names is None for loss in self.losses):
            return None
        return unique([name for loss in self.losses for name in (loss.term_names or (loss.name,))])

    def weighted_terms(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> list[tuple[LossTerm, Weights]]:
        with telling_for(self):
            return [
                (term._replace(factor=term.factor * factor), weights)
                for loss, factor in zip(self.losses, self.factors, strict=True)
                for term, weights in loss.weighted_terms(y_true, y_pred, sample_weight)
            ]


def add(losses: Sequence[Any], factors: Sequence[float]) -> "WeightedSum":
    """The sum of losses as the operators build it: flat, with the reduction and the dtype of the losses."""
    losses = [as_loss(loss) for loss in losses]
    reductions = {loss.reduction for loss in losses}
    if len(reductions) > 1:
        given = ", ".join(f"{loss.name}: {loss.reduction!r}" for loss in losses)
        raise ValueError(f"Losses that are added must have the same `reduction`. Received: {given}")
    flat = [pair for loss, factor in zip(losses, factors, strict=True) for pair in _flat(loss, factor)]
    return WeightedSum(
        [loss for loss, _ in flat],
        [factor for _, factor in flat],
        reduction=losses[0].reduction,
        dtype=keras.backend.result_type(*(loss.dtype for loss in losses)),
    )


Algebra._make_sum = staticmethod(add)


def as_loss(loss: keras.losses.Loss | str) -> Loss:
    """A kerasmith loss, wrapped around a loss of Keras where needed."""
    return loss if isinstance(loss, Loss) else KerasLoss(loss)


def unique(names: Sequence[str]) -> tuple[str, ...]:
    """The names, with a number behind those that came before: dice, dice_2, ..."""
    seen = []
    for name in names:
        number, fresh = 1, name
        while fresh in seen:
            number += 1
            fresh = f"{name}_{number}"
        seen.append(fresh)
    return tuple(seen)


def _flat(loss, factor):
    if type(loss) is not WeightedSum:
        return [(loss, factor)]
    return [(inner, factor * own) for inner, own in zip(loss.losses, loss.factors, strict=True)]
