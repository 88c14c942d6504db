"""Clicks and the time spent after them."""

import dataclasses
from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import Loss, LossTerm, PerSample, make_functional, register
from kerasmith.base.arguments import check_number
from kerasmith.base.elements import per_sample_mean
from kerasmith.base.weights import Weights
from kerasmith.labels.label_check import check_labels
from kerasmith.labels.label_domain import BINARY
from kerasmith.numerics.safe import probability_floor
from kerasmith.numerics.tensors import accumulation_dtype, compatible, static_shape

_CLICKED = dataclasses.replace(
    BINARY, expected="y_true[..., 0] must hold 1 (clicked) and 0 (not).", advice="Is the dwell time the first column?"
)


@register
class ClickDwell(Loss):
    """Cross-entropy of clicks plus regression of the dwell time of clicked items.

    loss = mean(bce(clicked, p)) + dwell_weight * mean(clicked * r(log(1 + dwell) - t)), means over the items of each sample

    with r the square, or the Huber loss. Items that were not clicked have no dwell time: whatever stands in that column (0,
    NaN) is not read, and the gradient of their t is exactly 0. Both terms are divided by the number of items, not of clicks,
    so an item weighs the same in whatever batch it comes. `callbacks.LossTerms` shows them as "click" and "dwell".

    Args:
        dwell_weight: factor >= 0 of the dwell term.
        from_logits: whether y_pred holds the logit of a click instead of its probability.
        log_dwell: compare t with log(1 + dwell), as dwell times spread over orders of magnitude; False compares it with the
            dwell time itself.
        delta: None for squared errors; a number > 0 for the Huber loss, 0.5 e^2 up to delta and linear above.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: (B, 2), or (B, items, 2) for lists of items: clicked (0 or 1) and dwell time >= 0, in seconds say.
        y_pred: the same shape: probability or logit of a click, and t.
        sample_weight: (B,), or (B, items): sum(w l) / (number of items).

    Returns:
        A scalar; (B,) for `reduction="none"`.

    Raises:
        ValueError: unless y_true and y_pred have one shape with 2 as the last size, or for an argument out of range.

    Example:

    >>> clicked_and_seconds = [[1.0, 0.0], [0.0, float("nan")]]
    >>> y_pred = [[0.5, 2.0], [0.5, 7.0]]
    >>> [round(float(v), 4) for v in ClickDwell(reduction="none")(clicked_and_seconds, y_pred)]
    [4.6931, 0.6931]
    """

    _reads_one_array = True

    def __init__(
        self,
        dwell_weight: float = 1.0,
        *,
        from_logits: bool = False,
        log_dwell: bool = True,
        delta: float | None = None,
        **kwargs: Any,
    ) -> None:
        check_number("dwell_weight", dwell_weight, minimum=0)
        if delta is not None:
            check_number("delta", delta, above=0)
        super().__init__(**kwargs)
        self.dwell_weight = dwell_weight
        self.from_logits = from_logits
        self.log_dwell = log_dwell
        self.delta = delta

    @property
    def term_names(self) -> tuple[str, ...]:
        return ("click", "dwell")

    def terms(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> list[LossTerm]:
        _check_shapes(y_true, y_pred)
        check_labels(y_true[..., 0], _CLICKED, weights.pixel)
        dtype = accumulation_dtype(self.dtype)
        y_true, y_pred = ops.cast(y_true, dtype), ops.cast(y_pred, dtype)
        clicked = y_true[..., 0] > 0.5
        click = _cross_entropy(y_true[..., 0], y_pred[..., 0], self.from_logits)
        dwell = self._dwell_losses(clicked, y_true[..., 1], y_pred[..., 1])
        return [
            LossTerm("click", 1.0, PerSample(*per_sample_mean(click, weights))),
            LossTerm("dwell", self.dwell_weight, PerSample(*per_sample_mean(dwell, weights))),
        ]

    def _dwell_losses(self, clicked, seconds, t):
        # `where` before the arithmetic: a NaN would come back through the gradient of a branch that was not taken.
        zero = ops.zeros_like(t)
        seconds = ops.where(clicked, seconds, zero)
        error = ops.where(clicked, t - (ops.log1p(seconds) if self.log_dwell else seconds), zero)
        if self.delta is None:
            return ops.square(error)
        inside = ops.clip(error, -self.delta, self.delta)
        return inside * (error - 0.5 * inside)


def _check_shapes(y_true, y_pred):
    given, predictions = static_shape(y_true, "y_true"), static_shape(y_pred, "y_pred")
    if len(predictions) < 2 or predictions[-1] != 2 or given[-1:] != (2,) or not compatible(given, predictions):
        raise ValueError(
            "y_true must hold clicked and dwell time, y_pred a click probability and a dwell prediction, both (B, 2) or "
            f"(B, items, 2); nothing is broadcast. Received: y_true of shape {given}, y_pred of shape {predictions}. "
            "Write `np.stack([clicked, seconds], axis=-1)`."
        )


def _cross_entropy(y, x, from_logits):
    if from_logits:
        return ops.softplus(x) - x * y
    p = probability_floor(x)
    return -(y * ops.log(p) + (1.0 - y) * ops.log(1.0 - p))


click_dwell: Function = make_functional(ClickDwell, "click_dwell")
