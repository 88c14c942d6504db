"""The core of the metrics on objects: labels and predictions -> images of one class each, in which objects are found."""

from typing import Any

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Weights
from kerasmith.base.arguments import check_choice, check_integer, check_number
from kerasmith.labels.label_check import check_labels
from kerasmith.labels.label_domain import whole_id_domain
from kerasmith.labels.pixels import Pixels
from kerasmith.metrics.pixel_metric import PixelMetric
from kerasmith.objects.binary_images import as_images, image_classes

_IGNORED = 255  # what stands for `ignore_class` among instance ids brought down to 0 and 1


class ObjectMetric(PixelMetric):
    """Base of metrics that find objects in images and count them.

    Args:
        connectivity: pixels that touch belong together: 4 or 8 neighbours in 2-D, 6, 18 or 26 in 3-D; None for 8 and 26.
        min_size: objects of fewer pixels are dropped from truth and prediction.
        threshold: probability above which a pixel is foreground.
        instance_labels: y_true holds instance ids, 0 for background, so that true objects may touch; predicted objects are
            connected components all the same. One class only.
        from_logits, axis, labels, ignore_class, multi_label: as in the losses.
        name, dtype: see `kerasmith.base.Metric`.
    """

    def __init__(
        self,
        connectivity: int | None = None,
        min_size: int = 0,
        threshold: float = 0.5,
        *,
        instance_labels: bool = False,
        **kwargs: Any,
    ) -> None:
        check_choice("connectivity", connectivity, (None, 4, 8, 6, 18, 26))
        check_integer("min_size", min_size, minimum=0)
        check_number("threshold", threshold, minimum=0, maximum=1)
        check_choice("instance_labels", instance_labels, (False, True))
        super().__init__(**kwargs)
        self.connectivity = connectivity
        self.min_size = min_size
        self.threshold = threshold
        self.instance_labels = instance_labels

    def encode_images(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> tuple[Pixels, Tensor]:
        """`Pixels`, and the truth as images (B * classes, *spatial): booleans, or instance ids in int32."""
        self.check_whole_images(weights)
        ids, ignore_class = None, self.ignore_class
        if self.instance_labels:
            ids = whole_ids(y_true, "y_true")
            y_true = ops.cast(ids > 0, "int32")
            for ignored in ignore_class if isinstance(ignore_class, (list, tuple)) else [ignore_class]:
                if ignored is not None:
                    y_true, ignore_class = ops.where(ids == ignored, _IGNORED, y_true), _IGNORED
        pixels = self.encode(y_true, y_pred, weights, ignore_class=ignore_class)
        if ids is None:
            return pixels, as_images(pixels, pixels.truth > 0.5)
        if len(image_classes(pixels)) != 1:
            raise ValueError(
                "`instance_labels=True` knows one class of objects: y_pred needs 1 channel, or 2 of which the first is the "
                f"background. Received: y_pred with {pixels.channels} channels. Write one metric per class."
            )
        ids = ops.reshape(ids, (-1, *pixels.spatial))
        if pixels.valid is not None:
            ids = ops.where(ops.reshape(pixels.valid, ops.shape(ids)) > 0, ids, 0)
        return pixels, ids

    def per_image(self, values: Tensor, pixels: Pixels) -> Tensor:
        """(B * classes, ...) -> (B, ...): sums over the classes."""
        return ops.sum(ops.reshape(values, (-1, len(image_classes(pixels)), *values.shape[1:])), axis=1)


def whole_ids(ids: Tensor, name: str) -> Tensor:
    """Instance ids in int32."""
    option = "instance_labels" if name == "y_true" else "instance_predictions"
    what = f"`{option}=True` expects {name} to hold the id of the object at each pixel and 0 for none, which"
    return ops.cast(check_labels(ids, whole_id_domain(what, dtype=keras.backend.standardize_dtype(ids.dtype))), "int32")
