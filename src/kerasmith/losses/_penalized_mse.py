"""Mean squared error with a penalty on the predictions."""

from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import LossTerm, PerSample, make_functional, register
from kerasmith.base.arguments import check_choice, check_number
from kerasmith.base.elements import per_sample_mean
from kerasmith.base.weights import Weights
from kerasmith.losses._elementwise import ElementwiseLoss
from kerasmith.numerics.safe import absolute


@register
class PenalizedMSE(ElementwiseLoss):
    """Mean squared error plus a pull of the predictions towards a constant.

    loss = mean((y - p)^2) + factor * mean(|p - center| ** power) for each sample, means over all its elements.

    power=1, center=0 is MSE with an L1 penalty on the predictions (few outputs differ from 0); power=2, center=0.5 pulls
    probabilities away from certainty. Both terms are means of single samples, so the batch size changes nothing.
    `callbacks.LossTerms` shows them as "mse" and "penalty".

    Args:
        factor: weight >= 0 of the penalty.
        center: the value that the predictions are pulled to.
        power: 1 or 2.
        missing: "nan" leaves out targets that are NaN, see `losses.ElementwiseLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: targets, in the shape of y_pred (a trailing 1 may differ).
        y_pred: predictions, (B,) or (B, *spatial, C).
        sample_weight: (B,), (B, *spatial[, 1]) or one weight a target: sum(w l) / (number of valid elements).

    Returns:
        A scalar; (B,) for `reduction="none"`.

    Raises:
        ValueError: for shapes that would broadcast, or an argument out of range.

    Example:

    >>> round(float(PenalizedMSE(factor=0.1)([[1.0, 0.0]], [[0.5, 0.5]])), 4)
    0.3
    """

    def __init__(self, factor: float = 0.1, center: float = 0.0, power: int = 1, **kwargs: Any) -> None:
        check_number("factor", factor, minimum=0)
        check_number("center", center)
        check_choice("power", power, (1, 2))
        super().__init__(**kwargs)
        self.factor = factor
        self.center = center
        self.power = power

    @property
    def term_names(self) -> tuple[str, ...]:
        return ("mse", "penalty")

    def terms(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> list[LossTerm]:
        distance = y_pred - self.center
        penalty = absolute(distance) if self.power == 1 else ops.square(distance)
        return [
            LossTerm("mse", 1.0, PerSample(*per_sample_mean(ops.square(y_true - y_pred), weights))),
            LossTerm("penalty", self.factor, PerSample(*per_sample_mean(penalty, weights))),
        ]


penalized_mse: Function = make_functional(PenalizedMSE, "penalized_mse")
