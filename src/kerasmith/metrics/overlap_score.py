"""The core of the overlap metrics: labels -> decisions -> three sums -> score, averaged over images or taken over all data."""

import math
from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Weights
from kerasmith.base.arguments import check_choice, check_integer, check_weights
from kerasmith.labels.class_ids import decide
from kerasmith.labels.class_reduction import class_weight_row
from kerasmith.labels.confusion_measures import region_sums_of
from kerasmith.labels.overlap import RegionSums, region_sums
from kerasmith.metrics.decided_classes import BatchCounts, DecidedClasses
from kerasmith.numerics import safe


class OverlapScore(DecidedClasses):
    """Base of metrics that score the overlap of decided and true regions. A subclass implements `score`.

    Args:
        num_classes: channels of y_pred; None reads them from the first batch.
        threshold: probability above which a pixel belongs to a binary mask. Several channels: the largest wins.
        average: "macro": mean over classes; "micro": one region of all classes; "weighted": mean over classes weighed by
            their true elements, of the image or of the data set (since 0.2); None: one result per class, `<name>_<class>`.
        per: "image": the score of each image, averaged over images; "dataset": one score from the sums over all data.
        from_logits, axis, labels, ignore_class, multi_label: as in the losses.
        include_background: if False, class 0 is left out (unless there is only one channel).
        absent: "score": a class absent from an image scores 1 if it is not predicted either, else 0; "skip": it is left out of
            that image; "skip_both": only if it is not predicted either, so that false positives score 0 (since 0.2). Over a
            data set, a class that is neither present nor predicted is left out; with "skip" also one that is only predicted
            (since 0.2).
        class_weights: one number per class, for "macro" over several channels; with `average=None` a class of weight 0 is left
            out.
        predictions: "scores", "ids" or "auto", as of `metrics.ConfusionMatrix`; ids need `num_classes`.
        share: deprecated, see `metrics.Shared`. With a key, soft labels are decided, like predictions.
        report_cases: make the result a dict with `<name>_cases` beside `<name>`: how many images the score is a mean of (of
            the most frequent class), or how many classes for `per="dataset"`; `<name>_cases_<class>` for `average=None`.
        name, dtype: see `kerasmith.base.Metric`.
    """

    directions: dict[str, str | None] = {"cases": None}

    def __init__(
        self,
        num_classes: int | None = None,
        threshold: float = 0.5,
        average: str | None = "macro",
        per: str = "image",
        *,
        include_background: bool = True,
        absent: str = "score",
        class_weights: Sequence[float] | None = None,
        report_cases: bool = False,
        **kwargs: Any,
    ) -> None:
        if num_classes is not None:
            check_integer("num_classes", num_classes, minimum=1)
        check_choice("average", average, ("macro", "micro", "weighted", None))
        check_choice("per", per, ("image", "dataset"))
        check_choice("absent", absent, ("score", "skip", "skip_both"))
        check_weights("class_weights", class_weights)
        if average == "weighted" and class_weights is not None:
            raise ValueError(
                "average='weighted' weighs classes by their true elements, where `class_weights` has no effect. Received: "
                f"class_weights={class_weights}. Leave it out, or write average='macro' for their weighted mean."
            )
        super().__init__(num_classes, threshold, **kwargs)
        if num_classes is None and self.predictions == "ids":
            raise ValueError("With predictions='ids', `num_classes` must be given: ids do not say how many classes there are.")
        if num_classes is None and self.share is not None:
            raise ValueError("With `share`, `num_classes` must be given: counts are of known classes.")
        self.average = average
        self.per = per
        self.include_background = include_background
        self.absent = absent
        self.class_weights = class_weights
        self.report_cases = report_cases
        if num_classes is not None:
            shape = (1,) if average == "micro" or (average, per) == ("weighted", "image") else (num_classes,)
            self.create_totals(dict.fromkeys(self._statistic_names(), shape) | {"outside": ()})

    def _statistic_names(self):
        return ("score", "cases") if self.per == "image" else ("intersection", "predicted", "actual")

    def out_of_range(self) -> float:
        """How many elements had a class id that is no class, as far as the batches were counted and not summed."""
        return float(self._totals["outside"].exact()) if self._totals else 0.0

    @property
    def counted_classes(self) -> int | None:
        """Two for a binary mask, which is counted with its background."""
        return 2 if self.num_classes == 1 and not self.multi_label else self.num_classes

    def keeps_samples_apart(self, y_true: Tensor, weights: Weights) -> bool:
        """Always: a score is that of an image, and sums are those of its classes."""
        return True

    def statistics(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> dict[str, Tensor]:
        """Score of each image and class and whether it counts, or the three sums."""
        return self._statistics_of(*self._region_sums(y_true, y_pred, weights))

    def add_counts(self, counts: BatchCounts, weights: Weights) -> None:
        """See `DecidedClasses.add_counts`."""
        self.add_statistics(self._statistics_of(*self._counted_sums(counts, weights)), weights.effective_sample)

    def _statistics_of(self, sums, outside):
        if self.average == "micro":
            if self.class_weights is not None:
                raise ValueError(
                    "average='micro' makes one region of all classes, where `class_weights` has no effect. Received: "
                    f"class_weights={self.class_weights}. Leave it out, or write average='macro' for their weighted mean."
                )
            row = class_weight_row(sums.actual.shape[-1], None, self.include_background)
            retained = [c for c in range(sums.actual.shape[-1]) if row is None or row[c] > 0]
            known = None if sums.known is None else ops.max(sums.known, axis=-1, keepdims=True)
            sums = RegionSums(*(sum(s[:, c : c + 1] for c in retained) for s in sums)).with_known(known)
        else:  # refuses what `combine` could not use
            class_weight_row(sums.actual.shape[-1], self.class_weights, self.include_background)
        if self.per == "dataset":
            return dict(zip(self._statistic_names(), sums)) | {"outside": outside}
        known = sums.known
        sums = RegionSums(*(ops.cast(s, "float32") for s in sums))
        score = self.score(sums)
        if self.average == "weighted":
            score, sums = self._weighted_by_class(score, sums)
            known = None if known is None else ops.max(known, axis=-1, keepdims=True)
        cases = ops.ones_like(sums.actual)
        if self.absent != "score":
            cases = ops.cast((sums.actual if self.absent == "skip" else sums.actual + sums.predicted) > 0, cases.dtype)
        if known is not None:
            cases = cases * ops.cast(known, cases.dtype)
        return {"score": score * cases, "cases": cases, "outside": outside}

    def _weighted_by_class(self, score, sums):
        """(..., 1) mean of the scores weighed by true elements, 1 where nothing is true or predicted; and the sums of all."""
        row = class_weight_row(score.shape[-1], None, self.include_background)
        if row is not None:
            sums = RegionSums(*(s * ops.convert_to_tensor(row, s.dtype) for s in sums))
        total = RegionSums(*(ops.sum(s, axis=-1, keepdims=True) for s in sums))
        of_none = ops.cast(total.predicted == 0, score.dtype)
        hits = ops.sum(score * sums.actual, axis=-1, keepdims=True)
        return ops.where(total.actual > 0, safe.ratio(hits, total.actual, when_empty=0.0), of_none), total

    def _region_sums(self, y_true, y_pred, weights):
        """(B, C) sums of the decisions, and (B,) elements whose ids are out of range."""
        if self.share is not None or self.gets_ids(y_true, y_pred):
            return self._counted_sums(self.count(y_true, y_pred, weights, per_sample=True), weights)
        # Dense labels may be soft, so they are summed.
        pixels = self.encode(y_true, y_pred, weights)
        self.check_channels(pixels)
        sums = region_sums(pixels, decide(pixels, self.threshold))
        return sums, ops.zeros_like(sums.actual[:, 0])

    def _counted_sums(self, counts, weights):
        # Whether a mask of which an image has no label is left out.
        single_channels = not (self.ignore_class is None and self.missing is None and weights.target is None)
        table = counts.table
        if self.multi_label:
            table = ops.reshape(table, (-1, self.num_classes, 3, 3))
        matrix = table[..., :-1, :-1]
        outside = ops.sum(table, axis=(-2, -1)) - ops.sum(matrix, axis=(-2, -1))
        if self.multi_label:
            sums = RegionSums(matrix[..., 1, 1], ops.sum(matrix[..., 1], axis=-1), ops.sum(matrix[..., 1, :], axis=-1))
            known = ops.cast(ops.sum(table, axis=(-2, -1)) > 0, "float32") if single_channels else None
            return sums.with_known(known), ops.sum(outside, axis=-1)
        sums = region_sums_of(matrix)
        if counts.dense:  # a pixel of no class was still predicted to be of one
            sums, outside = sums._replace(predicted=sums.predicted + table[:, -1, :-1]), ops.zeros_like(outside)
        return (RegionSums(*(s[:, 1:] for s in sums)) if self.num_classes == 1 else sums), outside

    def combine(self, totals: dict[str, Tensor]) -> Tensor | dict[str, Tensor]:
        """A scalar, or a dict with one scalar per class for `average=None`; NaN where there is no data."""
        if not totals:
            return ops.convert_to_tensor(math.nan, self.dtype)
        if self.per == "image":
            cases = totals["cases"]
            per_class = safe.ratio(totals["score"], cases, when_empty=math.nan)
        else:
            sums = RegionSums(*(totals[name] for name in self._statistic_names()))
            cases = ops.cast((sums.actual if self.absent == "skip" else sums.predicted + sums.actual) > 0, "float32")
            per_class = ops.where(cases > 0, self.score(sums), math.nan)
        channels = cases.shape[-1]
        row = None if self.average == "micro" else class_weight_row(channels, self.class_weights, self.include_background)
        if self.average is None:
            retained = [c for c in range(channels) if row is None or row[c] > 0]
            result = {self.key(c): per_class[..., c] for c in retained}
            return result | ({self.key("cases", c): cases[..., c] for c in retained} if self.report_cases else {})
        weight = ops.cast(cases > 0, "float32")
        if row is not None:
            weight = weight * ops.convert_to_tensor(row, "float32")
        counted, when_empty = ops.where(weight > 0, cases, 0.0), math.nan
        if self.average == "weighted" and self.per == "dataset":
            weight = weight * totals["actual"]
            when_empty = ops.where(ops.sum(counted, axis=-1) > 0, 0.0, math.nan)  # all that was predicted is wrong
        total = ops.sum(ops.where(weight > 0, per_class * weight, 0.0), axis=-1)
        score = safe.ratio(total, ops.sum(weight, axis=-1), when_empty=when_empty)
        if not self.report_cases:
            return score
        return {self.name: score, self.key("cases"): (ops.max if self.per == "image" else ops.sum)(counted, axis=-1)}

    def score(self, sums: RegionSums) -> Tensor:
        """The score from (..., C) sums; 1 where nothing is present and nothing predicted."""
        raise NotImplementedError(f"{type(self).__name__} must implement `score`.")
