"""Charbonnier loss."""

from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.base.arguments import check_number
from kerasmith.losses._elementwise import ElementwiseLoss


@register
class Charbonnier(ElementwiseLoss):
    """Charbonnier loss: the absolute error, rounded off at 0.

    loss = mean(((y - p)^2 + epsilon^2) ** alpha)

    With alpha = 0.5 it is close to (y - p)^2 / (2 epsilon) + epsilon for errors below epsilon and to |y - p| above. A perfect
    prediction has loss epsilon ** (2 alpha), not 0.

    Args:
        epsilon: > 0, the error at which the square turns into the absolute value, in units of y.
        alpha: exponent > 0; 0.5 is the Charbonnier loss, 0.45 a common choice for optical flow.
        missing: "nan" leaves out targets that are NaN, see `losses.ElementwiseLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments, returns and errors: as `losses.PenalizedMSE`.

    Example:

    >>> round(float(Charbonnier(epsilon=1.0)([[0.0, 1.0]], [[0.0, 1.75]])), 4)
    1.125

    References: Charbonnier et al., "Two deterministic half-quadratic regularization algorithms for computed imaging", 1994;
    for alpha, Sun et al., "Secrets of optical flow estimation and their principles", 2010.
    """

    def __init__(self, epsilon: float = 1e-3, alpha: float = 0.5, **kwargs: Any) -> None:
        check_number("epsilon", epsilon, above=0)
        check_number("alpha", alpha, above=0)
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.alpha = alpha

    def element_losses(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        squared = ops.square(y_true - y_pred) + self.epsilon**2
        return ops.sqrt(squared) if self.alpha == 0.5 else squared**self.alpha


charbonnier: Function = make_functional(Charbonnier, "charbonnier")
