"""Gaussian negative log-likelihood."""

import math
from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.base.arguments import check_choice, check_number
from kerasmith.losses._elementwise import ElementwiseLoss
from kerasmith.numerics.tensors import static_shape


@register
class GaussianNLL(ElementwiseLoss):
    """Negative log-likelihood of a normal distribution whose mean and variance are predicted.

    loss = mean(0.5 (log v + (y - m)^2 / v)), with v no smaller than `variance_floor`; `full` adds 0.5 log(2 pi).

    The first half of the last axis of y_pred holds the means m, the second half says the variances v. A variance
    under the floor counts as the floor and, as in PyTorch, keeps the gradient there, so an output cannot get stuck.

    Args:
        variance: what the second half holds. "log": log v, the stable default; "softplus": z with v = log(1 + exp(z));
            "identity": v itself, from a layer whose activation makes it positive.
        full: add the constant, so that the value is a log-likelihood to compare with other models.
        variance_floor: > 0, in the squared units of y.
        missing: "nan" leaves out targets that are NaN, see `losses.ElementwiseLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: targets, (B, ..., D); (B, ...) for D = 1.
        y_pred: (B, ..., 2 D).
        sample_weight: (B,), (B, *spatial[, 1]) or one weight a target: sum(w l) / (number of valid elements).

    Returns:
        A scalar; (B,) for `reduction="none"`.

    Raises:
        ValueError: for an odd last axis of y_pred, or shapes that would broadcast.

    Example:

    >>> mean_and_log_variance = [[1.0, 0.0]]
    >>> round(float(GaussianNLL()([[3.0]], mean_and_log_variance)), 4)
    2.0

    Reference: Nix and Weigend, "Estimating the mean and variance of the target probability distribution", 1994.
    """

    reference_name = "the means in y_pred"

    def __init__(self, variance: str = "log", full: bool = False, variance_floor: float = 1e-6, **kwargs: Any) -> None:
        check_choice("variance", variance, ("log", "softplus", "identity"))
        check_number("variance_floor", variance_floor, above=0)
        super().__init__(**kwargs)
        self.variance = variance
        self.full = full
        self.variance_floor = variance_floor

    def reference(self, y_pred: Tensor) -> Tensor:
        return self._halves(y_pred)[0]

    def element_losses(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        mean, second = self._halves(y_pred)
        squared = ops.square(y_true - mean)
        if self.variance == "log":
            log_variance = _raised(second, math.log(self.variance_floor))
            losses = 0.5 * (log_variance + squared * ops.exp(-log_variance))
        else:
            variance = ops.softplus(second) if self.variance == "softplus" else second
            variance = _raised(variance, self.variance_floor)
            losses = 0.5 * (ops.log(variance) + squared / variance)
        return losses + 0.5 * math.log(2.0 * math.pi) if self.full else losses

    @staticmethod
    def _halves(y_pred):
        shape = static_shape(y_pred, "y_pred")
        if len(shape) < 2 or shape[-1] is None or shape[-1] % 2 or not shape[-1]:
            raise ValueError(
                "The last axis of y_pred must hold means and variances, 2 numbers for each target. "
                f"Received: y_pred of shape {shape}. Give the last layer twice as many units as there are targets."
            )
        size = shape[-1] // 2
        return y_pred[..., :size], y_pred[..., size:]


def _raised(x, floor):
    """max(x, floor) in value, x in gradient."""
    raised = ops.where(x < floor, ops.cast(floor, x.dtype), x)
    return ops.stop_gradient(raised) + (x - ops.stop_gradient(x))


gaussian_nll: Function = make_functional(GaussianNLL, "gaussian_nll")
