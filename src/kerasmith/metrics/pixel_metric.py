"""Base of the metrics that read labels and predictions as the losses on pixels do."""

from typing import Any

from kerasmith._types import ClassIds, DType, Tensor
from kerasmith.base import AdditiveMetric, Weights
from kerasmith.base.arguments import check_choice
from kerasmith.labels.nan_predictions import doubt_predictions
from kerasmith.labels.pixels import Pixels, encode, spatial_shape
from kerasmith.numerics.tensors import static_shape

READING = ("from_logits", "axis", "labels", "ignore_class", "multi_label", "missing")


class PixelMetric(AdditiveMetric):
    """Base of metrics on (B, *spatial, C) predictions; without spatial axes they are plain classification.

    Args:
        from_logits: whether y_pred are logits.
        axis: the channel axis of y_pred: -1 or 1.
        labels: "one_hot": y_true has one value per channel; "sparse": class ids (B, *spatial[, 1]); "auto": by the shape.
        ignore_class: elements with this id, or one of these, count for nothing.
        multi_label: the channels are independent binary masks. `ignore_class` then leaves out single channels, and
            `sample_weight` may have the shape of y_pred.
        missing: "nan": labels that are NaN are missing, and count for nothing as `ignore_class` does; None: they are an error
            (since 0.2).
        name, dtype: see `kerasmith.base.Metric`.

    Attributes:
        decides: whether it compares y_pred with numbers or among themselves: a NaN, which would lose each comparison, makes
            the result NaN. Without it, NaN must get into the sums (since 0.2).
    """

    decides: bool = True

    def __init__(
        self,
        *,
        from_logits: bool = False,
        axis: int = -1,
        labels: str = "auto",
        ignore_class: ClassIds = None,
        multi_label: bool = False,
        missing: str | None = None,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        check_choice("axis", axis, (-1, 1))
        check_choice("labels", labels, ("auto", "one_hot", "sparse"))
        check_choice("missing", missing, (None, "nan"))
        super().__init__(name=name, dtype=dtype)
        self.from_logits = from_logits
        self.axis = axis
        self.labels = labels
        self.ignore_class = ignore_class
        self.multi_label = multi_label
        self.missing = missing

    def element_shape(self, y_true: Tensor, y_pred: Tensor) -> tuple[int | None, ...]:
        return spatial_shape(y_pred, self.axis)

    def target_shape(self, y_true: Tensor, y_pred: Tensor) -> tuple[int | None, ...] | None:
        return static_shape(y_pred, "y_pred") if self.multi_label else None

    @property
    def reading(self) -> dict[str, Any]:
        """{argument: value} of how labels and predictions are read."""
        return {name: getattr(self, name) for name in READING}

    def encode(self, y_true: Tensor, y_pred: Tensor, weights: Weights, **changes: Any) -> Pixels:
        """The batch as `Pixels`; `changes` replace arguments of the constructor."""
        reading = self.reading | changes
        given = {"pixel_weight": weights.pixel, "target_weight": weights.target, "mask": weights.valid_pixel}
        pixels = encode(y_true, y_pred, **given, **reading)
        if self.decides:
            doubt_predictions(pixels)
        return pixels

    def check_whole_images(self, weights: Weights) -> None:
        """Refuses pixel weights where objects are counted or measured whole."""
        if weights.pixel is not None or weights.target is not None:
            raise ValueError(
                f"{type(self).__name__} looks at whole objects and takes one weight per image, (B,). Received: sample_weight "
                "with one weight per pixel. Pass the metric to `compile(metrics=...)`, which is not weighted, or mark pixels "
                "to leave out by `ignore_class`."
            )

    def check_channels(self, pixels: Pixels) -> None:
        """Refuses predictions whose channels are not `num_classes`, where that is given."""
        if self.num_classes not in (None, pixels.channels):
            name, channels, wanted = type(self).__name__, pixels.channels, self.num_classes
            advice = f"Write `{name}(num_classes={channels})`, or give the last layer {wanted} channels."
            if channels == 1:
                both = "" if wanted > 2 else ", `metrics.ConfusionMatrix(2)` for foreground and background"
                advice = (
                    f"One channel is one mask: write `{name}(num_classes=1)` for its foreground{both}, or give the last layer "
                    f"{wanted} channels."
                )
            raise ValueError(
                f"{name}(num_classes={wanted}) needs y_pred with {wanted} channels. Received: {channels} "
                f"channel{'s' * (channels > 1)}. {advice}"
            )
