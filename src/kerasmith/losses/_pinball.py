"""Pinball loss: quantile regression."""

import itertools
from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import LossTerm, PerSample, make_functional, register
from kerasmith.base.arguments import check_number
from kerasmith.base.elements import per_sample_mean
from kerasmith.base.weights import Weights
from kerasmith.losses._elementwise import ElementwiseLoss
from kerasmith.numerics.tensors import static_shape


@register
class Pinball(ElementwiseLoss):
    """Pinball (quantile) loss, for one quantile or several at once.

    loss = mean(max(q (y - p), (q - 1) (y - p))), over elements and quantiles
         + crossing_penalty * mean(max(p_lower - p_upper, 0)), over neighbouring quantiles

    Its minimum is the q-quantile of y; q = 0.5 is half the absolute error.

    Args:
        quantiles: a number in (0, 1): y_pred holds that quantile, in the shape of y_true. Or an increasing list of Q of them:
            the last axis of y_pred holds the quantiles, in this order.
        crossing_penalty: factor >= 0 on the amount by which a lower quantile passes the next upper one. Needs a list.
            `callbacks.LossTerms` then shows the terms "pinball" and "crossing".
        missing: "nan" leaves out targets that are NaN, see `losses.ElementwiseLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: targets, (B, ...) or (B, ..., 1).
        y_pred: for a list of quantiles (B, ..., Q); for one quantile the shape of y_true.
        sample_weight: (B,), (B, *spatial[, 1]) or one weight a target: sum(w l) / (number of valid elements).

    Returns:
        A scalar; (B,) for `reduction="none"`.

    Raises:
        ValueError: for quantiles outside (0, 1) or not increasing, a last axis other than Q, or shapes that would broadcast.

    Example:

    >>> loss = Pinball(quantiles=[0.1, 0.5, 0.9])
    >>> round(float(loss([[1.0]], [[0.0, 1.0, 3.0]])), 4)
    0.1

    Reference: Koenker and Bassett, "Regression quantiles", 1978.
    """

    def __init__(self, quantiles: float | Sequence[float] = 0.5, crossing_penalty: float = 0.0, **kwargs: Any) -> None:
        several = hasattr(quantiles, "__len__") and not isinstance(quantiles, (str, bytes, dict))
        listed = list(quantiles) if several else [quantiles]
        for i, quantile in enumerate(listed):
            check_number(f"quantiles[{i}]" if several else "quantiles", quantile)
        if not listed or not all(0 < q < 1 for q in listed):
            raise ValueError(f"`quantiles` must lie between 0 and 1, both excluded. Received: quantiles={quantiles!r}")
        if any(lower >= upper for lower, upper in itertools.pairwise(listed)):
            raise ValueError(
                f"`quantiles` must increase, in the order of the last axis of y_pred. Received: quantiles={quantiles!r}. "
                f"Write quantiles={sorted(set(map(float, listed)))}"
            )
        check_number("crossing_penalty", crossing_penalty, minimum=0)
        if crossing_penalty and len(listed) < 2:
            raise ValueError(f"`crossing_penalty` needs at least two quantiles. Received: quantiles={quantiles!r}")
        super().__init__(**kwargs)
        self.quantiles = [float(q) for q in listed] if several else float(quantiles)
        self.crossing_penalty = crossing_penalty

    @property
    def term_names(self) -> tuple[str, ...]:
        return ("pinball", "crossing") if self.crossing_penalty else ()

    @property
    def reference_name(self) -> str:
        return "each quantile in y_pred" if isinstance(self.quantiles, list) else "y_pred"

    def reference(self, y_pred: Tensor) -> Tensor:
        if not isinstance(self.quantiles, list):
            return y_pred
        shape, expected = static_shape(y_pred, "y_pred"), len(self.quantiles)
        if len(shape) < 2 or shape[-1] not in (expected, None):
            raise ValueError(
                f"The last axis of y_pred must hold the {expected} quantiles {self.quantiles}. "
                f"Received: y_pred of shape {shape}. Give the last layer {expected} units."
            )
        return y_pred[..., 0]

    def terms(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> list[LossTerm]:
        pinball = PerSample(*per_sample_mean(self.element_losses(y_true, y_pred), weights))
        if not self.crossing_penalty:
            return [LossTerm(self.name, 1.0, pinball)]
        crossed = ops.relu(y_pred[..., :-1] - y_pred[..., 1:])
        return [
            LossTerm("pinball", 1.0, pinball),
            LossTerm("crossing", self.crossing_penalty, PerSample(*per_sample_mean(crossed, weights))),
        ]

    def element_losses(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        several = isinstance(self.quantiles, list)
        quantiles = ops.convert_to_tensor(self.quantiles, dtype=y_pred.dtype)
        error = (ops.expand_dims(y_true, -1) if several else y_true) - y_pred
        # max(q e, (q - 1) e) without `ops.maximum`, which rounds float64 to float32 on PyTorch.
        return quantiles * error + ops.relu(-error)


pinball: Function = make_functional(Pinball, "pinball")
