"""The core of the overlap metrics: labels -> decisions -> three sums -> score, averaged over images or taken over all data."""

import math

from keras import ops

from kerasmith.base import Metric
from kerasmith.base.arguments import check_choice, check_integer, check_number, check_weights
from kerasmith.numerics import safe, sample_weights
from kerasmith.numerics.classes import class_weight_row
from kerasmith.numerics.decisions import decide
from kerasmith.numerics.overlap import RegionSums, region_sums
from kerasmith.numerics.pixels import encode, spatial_shape
from kerasmith.numerics.tensors import keras_mask


class OverlapScore(Metric):
    """Base of metrics that score the overlap of decided and true regions. A subclass implements `score`.

    Args:
        num_classes: channels of y_pred; None reads them from the first batch.
        threshold: probability above which a pixel belongs to a binary mask. Several channels: the largest wins.
        average: "macro": mean over classes; "micro": one region of all classes; None: one result per class,
            `<name>_<class>`.
        per: "image": the score of each image, averaged over images; "dataset": one score from the sums over all data.
        from_logits, axis, labels, ignore_class, multi_label: as in the losses.
        include_background: if False, class 0 is left out (unless there is only one channel).
        absent: "score": a class absent from an image scores 1 if it is not predicted either, else 0; "skip": it is left out of
            that image. Over a data set, a class that is neither present nor predicted is left out.
        class_weights: one number per class, for "macro".
        name, dtype: see `kerasmith.base.Metric`.
    """

    def __init__(
        self,
        num_classes=None,
        threshold=0.5,
        average="macro",
        per="image",
        *,
        from_logits=False,
        axis=-1,
        labels="auto",
        ignore_class=None,
        multi_label=False,
        include_background=True,
        absent="score",
        class_weights=None,
        name=None,
        dtype=None,
    ):
        if num_classes is not None:
            check_integer("num_classes", num_classes, minimum=1)
        check_number("threshold", threshold, minimum=0, maximum=1)
        check_choice("average", average, ("macro", "micro", None))
        check_choice("per", per, ("image", "dataset"))
        check_choice("axis", axis, (-1, 1))
        check_choice("labels", labels, ("auto", "one_hot", "sparse"))
        check_choice("absent", absent, ("score", "skip"))
        check_weights("class_weights", class_weights)
        super().__init__(name=name, dtype=dtype)
        self.num_classes = num_classes
        self.threshold = threshold
        self.average = average
        self.per = per
        self.from_logits = from_logits
        self.axis = axis
        self.labels = labels
        self.ignore_class = ignore_class
        self.multi_label = multi_label
        self.include_background = include_background
        self.absent = absent
        self.class_weights = class_weights
        self._totals = ()
        if num_classes is not None:
            self._build(num_classes)

    def _build(self, channels):
        shape = (1,) if self.average == "micro" else (channels,)
        names = ("score", "weight") if self.per == "image" else ("intersection", "predicted", "actual")
        self._totals = tuple(self.add_total(name, shape) for name in names)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch; arguments as of the losses: `sample_weight` is (B,), or (B, *spatial[, 1]) inside the sums."""
        mask = keras_mask(y_pred)
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        weights = sample_weights.split(sample_weight, spatial_shape(y_pred, self.axis))
        mask = sample_weights.split(mask, spatial_shape(y_pred, self.axis), "the mask of y_pred")
        pixels = encode(
            y_true,
            y_pred,
            from_logits=self.from_logits,
            axis=self.axis,
            labels=self.labels,
            ignore_class=self.ignore_class,
            multi_label=self.multi_label,
            pixel_weight=weights.pixel,
            mask=mask.pixel,
        )
        if not self._totals:
            self._build(pixels.channels)
        elif self.num_classes not in (None, pixels.channels):
            raise ValueError(
                f"{type(self).__name__}(num_classes={self.num_classes}) received y_pred with {pixels.channels} channels."
            )
        sums = region_sums(pixels, decide(pixels, self.threshold))
        if self.average == "micro":
            row = class_weight_row(pixels.channels, None, self.include_background)
            row = ops.ones((pixels.channels,)) if row is None else ops.convert_to_tensor(row, "float32")
            sums = RegionSums(*(ops.sum(s * row, axis=-1, keepdims=True) for s in sums))
        per_image = ops.ones_like(sums.actual)
        for weight in (weights.sample, mask.sample):
            if weight is not None:
                per_image = per_image * ops.reshape(weight, (-1, 1))
        if self.per == "dataset":
            amounts = tuple(s * per_image for s in sums)
        else:
            score = self.score(sums)
            if self.absent == "skip":
                per_image = ops.where(sums.actual > 0, per_image, ops.zeros_like(per_image))
            amounts = (score * per_image, per_image)
        for total, amount in zip(self._totals, amounts):
            total.add(ops.sum(ops.cast(amount, "float32"), axis=0))

    def result(self):
        """A scalar, or a dict with one scalar per class for `average=None`; NaN where there is no data."""
        if not self._totals:
            return ops.convert_to_tensor(math.nan, self.dtype)
        totals = [total.value() for total in self._totals]
        if self.per == "image":
            per_class = safe.ratio(*totals, when_empty=math.nan)
            has_data = totals[1] > 0
        else:
            sums = RegionSums(*totals)
            has_data = sums.predicted + sums.actual > 0
            per_class = ops.where(has_data, self.score(sums), math.nan)
        row = (
            None
            if self.average == "micro"
            else class_weight_row(has_data.shape[0], self.class_weights, self.include_background)
        )
        if self.average is None:
            kept = [c for c in range(has_data.shape[0]) if row is None or row[c] > 0]
            return {self.key(c): ops.cast(per_class[c], self.dtype) for c in kept}
        share = ops.cast(has_data, per_class.dtype)
        if row is not None:
            share = share * ops.convert_to_tensor(row, share.dtype)
        weighted = ops.where(share > 0, per_class * share, 0.0)
        return ops.cast(safe.ratio(ops.sum(weighted), ops.sum(share), when_empty=math.nan), self.dtype)

    def score(self, sums):
        """The score from (..., C) sums; 1 where nothing is present and nothing predicted."""
        raise NotImplementedError(f"{type(self).__name__} must implement `score`.")
