"""Calibration error."""

import math
from typing import Any

import numpy as np
from keras import ops

from kerasmith._moved import moved_method
from kerasmith._types import Tensor
from kerasmith.base import Weights, register
from kerasmith.base.arguments import check_choice, check_integer
from kerasmith.labels.confidences import confidences, sums_in_bins
from kerasmith.metrics.pixel_metric import PixelMetric
from kerasmith.numerics import safe


@register
class CalibrationError(PixelMetric):
    """Calibration error: how far the confidence of a model is from how often it is right, in bins of confidence.

    With w_b the share of decisions in bin b, c_b their mean confidence and a_b how often they were right:
    ECE = sum_b w_b |a_b - c_b|, MCE = max_b |a_b - c_b| over bins in use, RMSCE = sqrt(sum_b w_b (a_b - c_b)^2).

    Args:
        bins: number of bins of equal width, [b / bins, (b + 1) / bins), the last with 1. (torchmetrics gives a confidence of
            exactly 1 a bin of its own; netcal does not.)
        confidence: "positive": the probability of class 1 and how often the truth is 1 (netcal and torchmetrics for binary
            input); "winner": the probability of the likelier class and how often it is the true one (all libraries for
            multi-class); "auto": "winner" for competing classes, else "positive".
        from_logits, axis, labels, ignore_class, multi_label: as in the losses. The channels of `multi_label` make one decision
            each, in bins in common.
        name, dtype: see `kerasmith.base.Metric`.

    Call arguments:
        y_true, y_pred: as of `losses.CrossEntropy`.
        sample_weight: (B,) or (B, *spatial[, 1]), inside the sums.

    Returns:
        A dict `<name>_ece`, `<name>_mce`, `<name>_rmsce`, and `<name>_cases`, the (weighted) number of decisions. NaN without
        data.

    Raises:
        ValueError: for "positive" with competing classes, shapes that would broadcast, or an unknown option.

    Example:

    >>> metric = CalibrationError(bins=5)
    >>> metric.update_state([[1], [0], [1], [1]], [[0.9], [0.9], [0.5], [0.5]])
    >>> {key: round(float(value), 2) for key, value in metric.result().items()}
    {'calibration_ece': 0.45, 'calibration_mce': 0.5, 'calibration_rmsce': 0.45, 'calibration_cases': 4.0}

    Reference: Guo et al., "On calibration of modern neural networks", 2017; Naeini et al., "Obtaining well calibrated
    probabilities using Bayesian binning", 2015.
    """

    direction = "min"
    decides = False
    directions: dict[str, str | None] = {"ece": "min", "mce": "min", "rmsce": "min", "cases": None}

    def __init__(
        self,
        bins: int = 15,
        confidence: float = "auto",
        *,
        name: str = "calibration",
        **kwargs: Any,
    ) -> None:
        check_integer("bins", bins, minimum=1)
        check_choice("confidence", confidence, ("auto", "positive", "winner"))
        super().__init__(name=name, **kwargs)
        self.bins = bins
        self.confidence = confidence
        self.create_totals({"weight": (bins,), "confidence": (bins,), "outcome": (bins,)})

    def statistics(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> dict[str, Tensor]:
        pixels = self.encode(y_true, y_pred, weights)
        if self.confidence == "positive" and not pixels.binary:
            raise ValueError(
                f'confidence="positive" speaks of one probability a decision. Received: y_pred with {pixels.channels} '
                'competing classes. Write confidence="winner", or multi_label=True for independent channels.'
            )
        return sums_in_bins(*confidences(pixels, "winner" if self.confidence == "winner" else "positive"), self.bins)

    def combine(self, totals: dict[str, Tensor]) -> dict[str, Tensor]:
        weight = totals["weight"]
        total = ops.sum(weight, axis=-1)
        difference = ops.abs(totals["outcome"] - totals["confidence"])
        gap = safe.ratio(difference, weight, when_empty=0.0)
        squares = safe.ratio(ops.sum(difference * gap, axis=-1), total, when_empty=math.nan)
        return {
            self.key("ece"): safe.ratio(ops.sum(difference, axis=-1), total, when_empty=math.nan),
            self.key("mce"): ops.where(total == 0, math.nan, ops.max(gap, axis=-1)),
            self.key("rmsce"): ops.sqrt(squares),
            self.key("cases"): total,
        }

    def reliability(self) -> dict[str, np.ndarray]:
        """The bins as NumPy arrays: "edges" (bins + 1,), "confidence", "accuracy" and "cases" (bins,), NaN in unused bins."""
        sums = {name: total.exact() for name, total in self._totals.items()}
        used = np.where(sums["weight"] > 0, sums["weight"], np.nan)
        return {
            "edges": np.linspace(0.0, 1.0, self.bins + 1),
            "confidence": sums["confidence"] / used,
            "accuracy": sums["outcome"] / used,
            "cases": sums["weight"],
        }

    picture = moved_method("metrics.CalibrationError.picture", "callbacks.metric_pictures.metric_html")
