"""Brier score."""

import math
from typing import Any

from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Weights, register
from kerasmith.base.arguments import check_choice
from kerasmith.metrics.pixel_metric import PixelMetric
from kerasmith.numerics import safe


@register
class Brier(PixelMetric):
    """Brier score: the mean squared error of probabilities.

    One channel, or independent ones (`multi_label`, then averaged): (p - y)^2. Competing classes: sum over classes of
    (p_c - y_c)^2, between 0 and 2; halved where `scale_by_half` says so, as scikit-learn does. 0 is perfect.

    Args:
        scale_by_half: for competing classes: True, False, or "auto": for two classes, which gives the number of the binary
            score.
        from_logits, axis, labels, ignore_class, multi_label: as in the losses.
        name, dtype: see `kerasmith.base.Metric`.

    Call arguments:
        y_true, y_pred: as of `losses.CrossEntropy`.
        sample_weight: (B,) or (B, *spatial[, 1]): sum(w error) / sum(w).

    Returns:
        A scalar; NaN without data.

    Raises:
        ValueError: for shapes that would broadcast, or an unknown option.

    Example:

    >>> metric = Brier()
    >>> metric.update_state([[1.0], [0.0]], [[0.9], [0.3]])
    >>> round(float(metric.result()), 4)
    0.05

    Reference: Brier, "Verification of forecasts expressed in terms of probability", 1950.
    """

    direction = "min"
    decides = False

    def __init__(
        self,
        scale_by_half: bool | str = "auto",
        **kwargs: Any,
    ) -> None:
        check_choice("scale_by_half", scale_by_half, ("auto", True, False))
        super().__init__(**kwargs)
        self.scale_by_half = scale_by_half
        self.create_totals({"error": (), "weight": ()})

    def statistics(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> dict[str, Tensor]:
        pixels = self.encode(y_true, y_pred, weights)
        error = ops.square(pixels.probabilities - pixels.truth)
        if pixels.weight is not None and len(pixels.weight.shape) == 3:
            error, weight = (ops.reshape(x, (ops.shape(x)[0], -1)) / pixels.channels for x in (error, pixels.weight))
            error = error * pixels.channels
            return self._sums(error, weight)
        if pixels.class_axis is not None:
            error = ops.sum(error, axis=pixels.class_axis)
            if pixels.multi_label:
                error = error / pixels.channels
            elif self.scale_by_half is True or (self.scale_by_half == "auto" and pixels.channels == 2):
                error = 0.5 * error
        return self._sums(error, ops.ones_like(error) if pixels.weight is None else pixels.weight)

    @staticmethod
    def _sums(error, weight):
        # What does not count may hold anything, also NaN.
        error = ops.where(weight == 0, 0.0, error * weight)
        return {"error": ops.sum(error, axis=-1), "weight": ops.sum(weight, axis=-1)}

    def combine(self, totals: dict[str, Tensor]) -> Tensor:
        return safe.ratio(totals["error"], totals["weight"], when_empty=math.nan)
