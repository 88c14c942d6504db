"""The core of the region family: labels -> activation -> three sums -> loss per class -> one value per image."""

from typing import Any

from keras import ops

from kerasmith._types import Absent, Scope, Tensor
from kerasmith.base import PerSample
from kerasmith.base.arguments import check_choice, check_number
from kerasmith.base.weights import Weights
from kerasmith.distribution import cross_replica_sum
from kerasmith.labels.class_reduction import mean_over_classes
from kerasmith.labels.overlap import RegionSums, region_sums
from kerasmith.labels.pixels import Pixels
from kerasmith.losses._segmentation import SegmentationLoss


class RegionLoss(SegmentationLoss):
    """Base of losses that compare regions by sum(p y), sum(p) and sum(y). A subclass implements `class_losses`.

    Pixel weights go into the sums, so a pixel of weight 0 is as good as cropped. Sums are taken in float32 at least.

    Args:
        scope: "image": one statistic per image; "batch": one for the global batch, over all replicas, with the sample
            weights inside the sums; every sample then carries the same value.
        include_background: if False, class 0 is left out of the mean (unless there is only one channel).
        absent: "score": a class that is absent from y_true counts (0 if it is not predicted either); "skip": it is left
            out of the mean; "skip_both": only if its probabilities are all exactly 0 too, so that false positives count
            (since 0.2).
        smooth: number >= 0 added to numerator and denominator of the Tversky form, in pixels. With the default an empty
            image gets nearly no gradient from many false positives; raise it to 1 or more, or add a cross-entropy, if
            empty images are common.
        soft_labels: for labels that are probabilities themselves, of several annotators or of a teacher: the intersection is
            sum(min(p, y)) = (sum(p) + sum(y) - sum|p - y|) / 2, so that the loss is smallest, 0, at p = y. With the product
            p y it is smallest where p is 0 or 1. The same for labels of 0 and 1 (since 0.2).
        from_logits, axis, labels, class_weights, ignore_class, multi_label: see `SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.
    """

    # Whether a term on pixels shares `class_weights` and reads them as (background, foreground) of one channel.
    _weighs_pixels = False
    _old_hooks = {**SegmentationLoss._old_hooks, "of_sums": "sample_losses", "sums_of_pixels": "image_sums"}

    def __init__(
        self,
        *,
        scope: Scope = "image",
        include_background: bool = True,
        absent: Absent = "score",
        smooth: float = 1e-5,
        soft_labels: bool = False,
        **kwargs: Any,
    ) -> None:
        check_choice("scope", scope, ("image", "batch"))
        check_choice("absent", absent, ("score", "skip", "skip_both"))
        check_number("smooth", smooth, minimum=0)
        check_choice("soft_labels", soft_labels, (False, True))
        super().__init__(**kwargs)
        self.scope = scope
        self.include_background = include_background
        self.absent = absent
        self.smooth = smooth
        self.soft_labels = soft_labels

    def per_sample(self, pixels: Pixels, weights: Weights) -> PerSample:
        sums = self.image_sums(pixels)
        if self.scope == "image":
            return PerSample(self.sample_losses(sums))
        value = self.sample_losses(_over_the_global_batch(sums, weights))
        return PerSample(ops.broadcast_to(value, (ops.shape(sums.actual)[0],)))

    def image_sums(self, pixels: Pixels) -> RegionSums:
        """The sums of each image and class, `RegionSums` of (B, C)."""
        return region_sums(pixels, soft_labels=self.soft_labels)

    def sample_losses(self, sums: RegionSums) -> Tensor:
        """The loss of each image from its sums, (B, C) -> (B,)."""
        for_pixels = self._weighs_pixels and sums.actual.shape[-1] == 1
        return mean_over_classes(
            self.class_losses(sums),
            sums.actual,
            class_weights=None if for_pixels else self.class_weights,
            include_background=self.include_background,
            absent=self.absent,
            predicted=sums.predicted,
            known=sums.known,
        )

    def class_losses(self, sums: RegionSums) -> Tensor:
        """The loss of each image and class, (B, C)."""
        raise NotImplementedError(f"{type(self).__name__} must implement `class_losses`.")


def _over_the_global_batch(sums, weights):
    total = []
    for per_image in sums:
        for weight in (weights.sample, weights.valid_sample):
            if weight is not None:
                per_image = per_image * ops.reshape(ops.cast(weight, per_image.dtype), (-1, 1))
        total.append(ops.sum(per_image, axis=0, keepdims=True))
    if sums.known is not None:
        total.append(ops.sum(sums.known, axis=0, keepdims=True))
    # One collective for the sums.
    total = ops.unstack(cross_replica_sum(ops.stack(total)), axis=0, num=len(total))
    return RegionSums(*total[:3]).with_known(total[3] > 0 if len(total) > 3 else None)
