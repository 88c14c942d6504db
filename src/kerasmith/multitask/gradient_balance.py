"""Weights under which the gradients of all terms, by all weights of the model, are of one size."""

from typing import Any

from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import register
from kerasmith.base.arguments import check_choice, check_number
from kerasmith.multitask.balancer import Balancer, when
from kerasmith.numerics import safe

_STATISTICS = ("norm", "max_mean")


@register
class GradientBalance(Balancer):
    """Balances equations and conditions by the size of their gradients, as physics-informed training does (since 0.2).

    With g_k the gradient of term k, without its factor, by all trainable weights of the model:
    "norm": asked_k = sum_j |g_j| / |g_k|, Euclidean lengths;
    "max_mean": asked_k = max |g_r| / mean |g_k|, elementwise, r the term `reference`, whose own factor stays 1.

    factor_k = decay * factor_k + (1 - decay) * asked_k after each training step, which begins with factors of 1.

    A step trains with the factors that the steps before it left behind. Each is shown as `<term>_weight`, multiplied with
    the weight of the term itself, which counts in g_k. A term whose gradient is 0, and a step with a gradient that is not
    finite, changes nothing. Unlike `GradNorm` it needs no `Tap`. It costs one more backward pass a term and step.

    Args:
        statistic: "norm" or "max_mean".
        reference: name of the term that the others are compared with, the equation; the objective's first one by default.
            "max_mean" only.
        decay: how much of the old factor stays in each step, at least 0 and below 1.

    Raises:
        ValueError: for an unknown statistic, another decay, a reference with "norm", or one that is no term.

    Example:

    >>> import keras, numpy as np
    >>> from kerasmith import Model, Objective, multitask
    >>> from kerasmith.physics import Condition, Residual
    >>> @keras.saving.register_keras_serializable("docs")
    ... def growth(f):
    ...     return f.d("x") - f.u
    >>> inputs = keras.Input((1,))
    >>> model = Model(inputs, keras.layers.Dense(1)(keras.layers.Dense(8, activation="tanh")(inputs)))
    >>> terms = [Residual(growth), Condition([[0.0]], 1.0, kind="initial")]
    >>> model.compile("adam", Objective(terms, balance=multitask.GradientBalance("max_mean", reference="growth")))
    >>> sorted(model.fit(np.linspace(0, 1, 16)[:, None], verbose=0).history)
    ['growth', 'growth_weight', 'initial', 'initial_weight', 'loss']

    References: "max_mean": Wang, Teng and Perdikaris, "Understanding and mitigating gradient flow pathologies in
    physics-informed neural networks", 2021, algorithm 1; "norm": Wang, Sankaran, Wang and Perdikaris, "An expert's guide to
    training physics-informed neural networks", 2023, algorithm 1. Both look every few steps, this at each.
    """

    needs_weight_gradients = True

    def __init__(self, statistic: str = "norm", reference: str | None = None, decay: float = 0.9) -> None:
        check_choice("statistic", statistic, _STATISTICS)
        check_number("decay", decay, minimum=0)
        if decay >= 1:
            raise ValueError(f"`decay` must be below 1, or the factors would never move. Received: decay={decay!r}")
        if reference is not None and not isinstance(reference, str):
            raise TypeError(f"`reference` must be the name of a term. Received: reference={reference!r}")
        if reference is not None and statistic == "norm":
            raise ValueError(
                '"norm" compares with the sum over all terms and takes no reference. Write GradientBalance("max_mean", '
                f"reference={reference!r}), or leave the reference out."
            )
        self.statistic = statistic
        self.reference = reference
        self.decay = decay

    def build(self, objective: Any) -> None:
        names = [term.name for term in objective.terms]
        if self.reference is not None and self.reference not in names:
            raise ValueError(f"`reference` is no term. The terms are: {', '.join(names)}. Received: {self.reference!r}")
        self._reference = 0 if self.reference is None else names.index(self.reference)
        super().build(objective)

    def create_state(self, count: int) -> None:
        """The factors."""
        self.weights = self.add_state("gradient_balance_factors", (count,), initializer="ones")

    def factors(self) -> Tensor:
        return ops.convert_to_tensor(self.weights)

    def update_from_weight_gradients(self, gradients: list[list[Tensor]]) -> None:
        if not gradients[0]:
            return  # all layers are frozen
        factors = self.factors()
        asked = balanced(gradients, factors, self.statistic, self._reference)
        moved = self.decay * factors + (1.0 - self.decay) * ops.where(asked > 0, asked, factors)
        if self.statistic == "max_mean":
            moved = ops.where(ops.arange(self.count) == self._reference, ops.ones_like(moved), moved)
        when(ops.all(ops.isfinite(moved)), moved, self.weights)


def balanced(gradients: list[list[Tensor]], factors: Tensor, statistic: str, reference: int) -> Tensor:
    """(K,) factors under which the gradients are of one size; 0 for a term that has none.

    Args:
        gradients: of K terms, multiplied with their factors, by each variable.
        factors: (K,), above 0.
        statistic: "norm" or "max_mean".
        reference: number of the term that the others are compared with; "max_mean".
    """
    flat = [ops.concatenate([ops.reshape(g, (-1,)) for g in of_term]) for of_term in gradients]
    if statistic == "norm":
        # Scaled by the largest: squares of small gradients would become 0.
        largest = [ops.max(ops.abs(g)) for g in flat]
        squares = [ops.sum(ops.square(safe.ratio(g, top, when_empty=0.0))) for g, top in zip(flat, largest, strict=True)]
        sizes = ops.stack(largest) * ops.sqrt(ops.stack(squares)) / factors
        return safe.ratio(ops.sum(sizes), sizes, when_empty=0.0)
    sizes = ops.stack([ops.mean(ops.abs(g)) for g in flat]) / factors
    return safe.ratio(ops.max(ops.abs(flat[reference])) / factors[reference], sizes, when_empty=0.0)
