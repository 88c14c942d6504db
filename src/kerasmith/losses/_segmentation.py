"""What losses on pixels have in common: how labels and predictions are read."""

from collections.abc import Sequence
from typing import Any

from kerasmith._types import ClassIds, Labels, Tensor
from kerasmith.base import Loss
from kerasmith.base.arguments import check_choice, check_weights
from kerasmith.base.weights import Weights
from kerasmith.labels.pixels import Pixels, encode, spatial_shape
from kerasmith.numerics.tensors import static_shape

LABELS = ("auto", "one_hot", "sparse")


class SegmentationLoss(Loss):
    """Base of the region and the pixel family: reads the batch once, as `Pixels`.

    A subclass implements `per_sample`, or `terms` if it is a sum; both take `pixels` and `weights`.

    Args:
        from_logits: whether y_pred are logits: sigmoid for one channel, softmax over `axis` for several.
        axis: the channel axis of y_pred, -1 or 1.
        labels: "sparse": y_true holds class ids, (B, *spatial) or (B, *spatial, 1); "one_hot": y_true has the shape of
            y_pred; "auto": ids if y_true has one axis less (or a trailing 1 where y_pred has more channels).
        class_weights: one number >= 0 per channel, of several: the mean over one class has nothing to weigh.
        ignore_class: pixels labelled with this id, or one of these, count for nothing and get gradient exactly 0.
        multi_label: the channels are independent binary masks: sigmoid instead of softmax. `ignore_class` then leaves out
            single channels, and `sample_weight` may have the shape of y_pred.
        missing: "nan": labels that are NaN are missing, and count for nothing as `ignore_class` does; None: they are an error
            (since 0.2).
        reduction, name, dtype: see `kerasmith.base.Loss`.
    """

    _reads_one_array = True
    _old_hooks = {"of_pixels": "per_sample", "parts_of_pixels": "terms"}

    def __init__(
        self,
        *,
        from_logits: bool = False,
        axis: int = -1,
        labels: Labels = "auto",
        class_weights: Sequence[float] | None = None,
        ignore_class: ClassIds = None,
        multi_label: bool = False,
        missing: str | None = None,
        **kwargs: Any,
    ) -> None:
        check_choice("axis", axis, (-1, 1))
        check_choice("labels", labels, LABELS)
        check_weights("class_weights", class_weights)
        check_choice("missing", missing, (None, "nan"))
        super().__init__(**kwargs)
        self.from_logits = from_logits
        self.axis = axis
        self.labels = labels
        self.class_weights = class_weights
        self.ignore_class = ignore_class
        self.multi_label = multi_label
        self.missing = missing

    def weight_shape(self, y_pred: Tensor) -> tuple[int | None, ...]:
        return spatial_shape(y_pred, self.axis)

    def target_shape(self, y_pred: Tensor) -> tuple[int | None, ...] | None:
        return static_shape(y_pred, "y_pred") if self.multi_label else None

    @property
    def labels_are_classes(self) -> bool:
        """Whether labels say which class a pixel is of, so that other numbers than those from 0 to 1 are refused."""
        return True

    def read(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> tuple[Pixels]:
        pixels = encode(
            y_true,
            y_pred,
            from_logits=self.from_logits,
            axis=self.axis,
            labels=self.labels,
            ignore_class=self.ignore_class,
            multi_label=self.multi_label,
            missing=self.missing,
            pixel_weight=weights.pixel,
            target_weight=weights.target,
            mask=weights.valid_pixel,
            strict=self.labels_are_classes,
        )
        return (pixels,)
