"""The core of the ranking metrics: labels -> histograms of the scores of negatives and positives -> a number per class."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Weights
from kerasmith.base.arguments import check_choice, check_integer
from kerasmith.metrics.pixel_metric import PixelMetric
from kerasmith.numerics import safe
from kerasmith.numerics.score_histograms import bin_index, rest_logits, score_histogram


class RankingMetric(PixelMetric):
    """Base of metrics that read the histograms of the scores of positives and negatives. A subclass implements `area`.

    Args:
        bins: number of bins, see `numerics.score_histograms`. Two scores in one bin count as equal. The state takes
            24 * bins bytes a class.
        class_names: texts for the keys of several classes; 0, 1, 2, ... by default.
        per_class: whether each of several classes has a key of its own, or only their average does.
        average: several classes: "macro": their mean; "weighted": their mean weighed by their positives; "micro": the number
            of all classes' scores and labels taken together; None: none. Its key is `<name>_<average>` (since 0.2).
        absent: several classes: one that lacks positives or negatives, for which the number is not defined, is NaN; "skip":
            it is left out of the mean; "nan": the mean is NaN too.
        from_logits, axis, labels, ignore_class, multi_label: as in the losses.
        name, dtype: see `kerasmith.base.Metric`.
    """

    directions: dict[str, str | None] = {"cases": None}
    counted_statistic = "histograms of scores"
    decides = False

    def __init__(
        self,
        bins: int = 16384,
        class_names: Sequence[Any] | None = None,
        *,
        per_class: bool = True,
        average: str | None = "macro",
        absent: str = "skip",
        **kwargs: Any,
    ) -> None:
        check_integer("bins", bins, minimum=2)
        if bins > 2**20:
            raise ValueError(f"`bins` must be at most 2**20: float32 scores tell no more apart. Received: bins={bins}")
        if class_names is not None and (isinstance(class_names, str) or len(set(map(str, class_names))) != len(class_names)):
            raise ValueError(f"`class_names` must be different texts, one per class. Received: class_names={class_names!r}")
        check_choice("average", average, ("macro", "micro", "weighted", None))
        check_choice("absent", absent, ("skip", "nan"))
        if average is None and not per_class:
            raise ValueError(
                "average=None leaves the results of each class only. Received: per_class=False. Write `per_class=True`."
            )
        super().__init__(**kwargs)
        self.bins = bins
        self.class_names = class_names
        self.per_class = per_class
        self.average = average
        self.absent = absent

    def area(self, histogram: Tensor) -> Tensor:
        """The number from (..., 2, bins + 1) counts of negatives and positives, NaN where it is not defined."""
        raise NotImplementedError(f"{type(self).__name__} must implement `area`.")

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> None:
        """Adds a batch; arguments as of the losses: `sample_weight` is (B,) or (B, *spatial[, 1])."""
        y_true, y_pred, weights = self.sorted_inputs(y_true, y_pred, sample_weight)
        self.add_counts(self.count(y_true, y_pred, weights), weights)

    @property
    def count_settings(self) -> dict[str, Any]:
        """{argument: value} of all that the histograms depend on, see `metrics.Shared`."""
        return {"bins": self.bins, **self.reading}

    def keeps_samples_apart(self, y_true: Tensor, weights: Weights) -> bool:
        """Never: weights are in the histograms."""
        return False

    def count(self, y_true: Tensor, y_pred: Tensor, weights: Weights, per_sample: bool = False) -> Tensor:
        """(C, 2, bins + 1) histograms of a batch."""
        return self._histogram(self.encode(y_true, y_pred, weights), weights)

    def add_counts(self, counts: Tensor, weights: Weights) -> None:
        """Adds what `count` gave."""
        channels = counts.shape[0]
        if self.class_names is not None and len(self.class_names) != channels:
            raise ValueError(
                f"`class_names` needs one text per channel of y_pred. Received: {len(self.class_names)} names for {channels} "
                "channels."
            )
        if not self._totals:
            self.create_totals({"histogram": (channels, 2, self.bins + 1)})
        elif tuple(self._totals["histogram"].variable.shape)[1] != channels:
            raise ValueError(
                f"{self.name} has counted {tuple(self._totals['histogram'].variable.shape)[1]} classes so far. "
                f"Received: y_pred with {channels} channels."
            )
        self._totals["histogram"].add(counts)

    def _histogram(self, pixels, weights):
        channel = None
        if pixels.class_axis is not None:
            channel = ops.arange(pixels.channels, dtype="int32")
            channel = ops.expand_dims(channel, -1) if pixels.class_axis == 1 else channel
        if pixels.ids is not None and pixels.class_axis is not None:
            positive = ops.equal(ops.expand_dims(pixels.ids, pixels.class_axis), channel)
        else:
            positive = pixels.truth > 0.5
        scores = pixels.scores
        if self.from_logits and not pixels.binary:
            scores = rest_logits(scores, pixels.class_axis)
        counts = None if pixels.valid is None else pixels.per_class(pixels.valid > 0)
        weight = weights.effective_sample
        if weight is not None and len(weight.shape):
            weight = ops.reshape(weight, (-1, 1))
        if weight is not None and len(weight.shape):
            weight = pixels.per_class(weight)
        if weights.pixel is not None or weights.target is not None:
            each = pixels.per_class(pixels.weight)
            weight = each if weight is None else each * weight
        return score_histogram(
            bin_index(scores, self.bins, from_logits=self.from_logits),
            positive,
            self.bins,
            channel=channel,
            channels=pixels.channels,
            counts=counts,
            weight=weight,
        )

    def combine(self, totals: dict[str, Tensor]) -> Tensor | dict[str, Tensor]:
        if not totals:
            return ops.convert_to_tensor(math.nan)
        of_each = self.area(totals["histogram"])
        if of_each.shape[-1] == 1:
            return of_each[..., 0]
        cases = ops.sum(ops.cast(ops.logical_not(ops.isnan(of_each)), of_each.dtype), axis=-1)
        result = {}
        if self.average is not None:
            result[self.key(self.average)] = self._average(totals["histogram"], of_each)
        if self.per_class:
            names = self.class_names or range(of_each.shape[-1])
            result |= {self.key(label): of_each[..., c] for c, label in enumerate(names)}
        return result | {self.key("cases"): cases}

    def _average(self, histogram, of_each):
        if self.average == "micro":
            return self.area(ops.sum(histogram, axis=-3))
        weight = ops.sum(histogram[..., 1, :-1], axis=-1) if self.average == "weighted" else ops.ones_like(of_each)
        missing = ops.isnan(of_each)
        known = ops.where(missing, 0.0, weight)
        mean = safe.ratio(ops.sum(known * ops.where(missing, 0.0, of_each), axis=-1), ops.sum(known, axis=-1), math.nan)
        # A NaN score is no absent class.
        spoiled = missing if self.absent == "nan" else ops.any(histogram[..., -1] > 0, axis=-1)
        return ops.where(ops.any(spoiled, axis=-1), math.nan, mean)

    def histogram(self) -> np.ndarray:
        """Counts of negatives and positives in each bin as a float64 NumPy array (C, 2, bins + 1); the last bin counts NaN."""
        if not self._totals:
            raise ValueError(f"{self.name} has seen no data. Call `update_state` or `model.evaluate` first.")
        return self._totals["histogram"].exact()
