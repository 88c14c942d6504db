"""Lesion detection: precision and recall of objects."""

import math

from keras import ops

from kerasmith.base import Metric, register
from kerasmith.base.arguments import check_choice, check_integer, check_number
from kerasmith.base.host import call_on_host, host_is_reachable
from kerasmith.numerics import safe, sample_weights
from kerasmith.numerics.decisions import decide
from kerasmith.numerics.label_propagation import detection_counts_on_device
from kerasmith.numerics.matching import detection_counts
from kerasmith.numerics.pixels import encode, spatial_shape
from kerasmith.numerics.tensors import keras_mask, static_shape


@register
class LesionDetection(Metric):
    """Precision, recall and F1 of objects: a true object is found if a predicted one overlaps it with enough IoU.

    Objects are the connected components of each image (and of each foreground class). They are matched one to one within
    their image; what is left of the prediction is a false positive, what is left of the truth a miss. Counts are added over
    all images, so the result does not depend on the batch size.

    The work is done on the host by `connected-components-3d`, from compiled steps too. Where a compiler forbids host calls
    (TensorFlow with `jit_compile=True`) it is done on the device by label propagation, with the same counts.

    Args:
        iou_threshold: an overlap counts if its IoU is greater than this, 0 <= iou_threshold < 1. From 0.5 on, at most one
            match is possible for each object.
        connectivity: pixels that touch belong together: 4 or 8 neighbours in 2-D, 6, 18 or 26 in 3-D; None for 8 and 26.
        min_size: components of fewer pixels are dropped from truth and prediction.
        matching: "greedy": the largest IoU first; "optimal": as many matches as possible, then the largest sum of IoU. The
            same from a threshold of 0.5 on.
        threshold: probability above which a pixel is foreground. Several channels: the largest wins, class 0 is background.
        from_logits, axis, labels, ignore_class, multi_label: as in the losses. Ignored pixels belong to no object.
        name, dtype: see `kerasmith.base.Metric`.

    Call arguments:
        y_true, y_pred: as of `losses.Dice`, in 2-D or 3-D.
        sample_weight: (B,); the counts of an image are multiplied by it.

    Returns:
        A dict `<name>_precision`, `<name>_recall`, `<name>_f1`; NaN where nothing was counted: the precision of no predicted
        object, the recall of no true one.

    Raises:
        ValueError: for a connectivity that the images do not have, pixel weights, or an unknown option.

    Example:

    >>> import numpy as np
    >>> truth, prediction = np.zeros((2, 1, 8, 8, 1), "float32")
    >>> truth[0, :3, :3], truth[0, 5:, 5:] = 1, 1  # two lesions
    >>> prediction[0, :3, :2], prediction[0, 0, 7] = 1, 1  # one found, one invented
    >>> metric = LesionDetection()
    >>> metric.update_state(truth, prediction)
    >>> {key: float(value) for key, value in metric.result().items()}
    {'lesion_precision': 0.5, 'lesion_recall': 0.5, 'lesion_f1': 0.5}
    """

    def __init__(
        self,
        iou_threshold=0.5,
        connectivity=None,
        min_size=0,
        matching="greedy",
        *,
        threshold=0.5,
        from_logits=False,
        axis=-1,
        labels="auto",
        ignore_class=None,
        multi_label=False,
        name="lesion",
        dtype=None,
    ):
        check_number("iou_threshold", iou_threshold, minimum=0)
        if iou_threshold >= 1:
            raise ValueError(f"`iou_threshold` must be below 1: no IoU exceeds 1. Received: iou_threshold={iou_threshold}")
        check_choice("connectivity", connectivity, (None, 4, 8, 6, 18, 26))
        check_integer("min_size", min_size, minimum=0)
        check_choice("matching", matching, ("greedy", "optimal"))
        check_number("threshold", threshold, minimum=0, maximum=1)
        check_choice("axis", axis, (-1, 1))
        check_choice("labels", labels, ("auto", "one_hot", "sparse"))
        super().__init__(name=name, dtype=dtype)
        self.iou_threshold = iou_threshold
        self.connectivity = connectivity
        self.min_size = min_size
        self.matching = matching
        self.threshold = threshold
        self.from_logits = from_logits
        self.axis = axis
        self.labels = labels
        self.ignore_class = ignore_class
        self.multi_label = multi_label
        self._counts = self.add_total("true_false_missed", (3,))

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch."""
        mask = keras_mask(y_pred)
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        shape = spatial_shape(y_pred, self.axis)
        weights = sample_weights.split(sample_weight, shape)
        if weights.pixel is not None:
            raise ValueError(
                f"{type(self).__name__} counts objects and takes one weight per image, (B,). Received: sample_weight with "
                "one weight per pixel. Pass the metric to `compile(metrics=...)`, which is not weighted, or mark pixels to "
                "leave out by `ignore_class`."
            )
        truth, prediction = self._masks(y_true, y_pred, sample_weights.split(mask, shape, "the mask of y_pred"))
        counts = self._count(truth, prediction)
        # (images * classes, 3) -> (images, classes, 3)
        counts = ops.reshape(counts, (ops.shape(y_pred)[0], -1, 3)) if counts.shape[0] != 0 else ops.zeros((0, 1, 3))
        counts = ops.sum(counts, axis=1)
        if weights.sample is not None:
            counts = counts * ops.reshape(weights.sample, (-1, 1))
        self._counts.add(ops.sum(counts, axis=0))

    def _masks(self, y_true, y_pred, mask):
        """Boolean (images * classes, *spatial) of truth and decision."""
        pixels = encode(
            y_true,
            y_pred,
            from_logits=self.from_logits,
            axis=self.axis,
            labels=self.labels,
            ignore_class=self.ignore_class,
            multi_label=self.multi_label,
            mask=mask.pixel,
        )
        spatial = tuple(ops.shape(y_pred)[1:-1] if self.axis == -1 else ops.shape(y_pred)[2:])
        if not spatial:
            raise ValueError(
                f"{type(self).__name__} needs images, (B, *spatial, C). "
                f"Received: y_pred of shape {static_shape(y_pred, 'y_pred')}"
            )
        both = []
        for values in (pixels.truth > 0.5, decide(pixels, self.threshold) > 0.5):
            if pixels.valid is not None:
                values = ops.logical_and(values, pixels.per_class(pixels.valid) > 0)
            if mask.sample is not None:
                values = ops.logical_and(values, ops.reshape(mask.sample, (-1,) + (1,) * (len(values.shape) - 1)) > 0)
            if pixels.class_axis == 2:
                values = ops.transpose(values, (0, 2, 1))
            if pixels.class_axis is not None and not pixels.multi_label:
                values = values[:, 1:]
            both.append(ops.reshape(values, (-1, *spatial)))
        return both

    def _count(self, truth, prediction):
        """(N, 3) float32: found, invented and missed objects of each mask."""
        if not host_is_reachable():
            if self.matching == "optimal" and self.iou_threshold < 0.5:
                raise ValueError(
                    "matching='optimal' below iou_threshold=0.5 works on the host, which XLA cannot call from TensorFlow. "
                    "Write `matching='greedy'`, or `model.compile(..., jit_compile=False)`."
                )
            return ops.cast(
                detection_counts_on_device(truth, prediction, self.iou_threshold, self.connectivity, self.min_size), "float32"
            )

        def count(truth, prediction):
            return detection_counts(
                truth, prediction, self.iou_threshold, self.matching, connectivity=self.connectivity, min_size=self.min_size
            )

        return call_on_host(count, (truth, prediction), (static_shape(truth, "y_true")[0], 3))

    def result(self):
        """A dict of precision, recall and F1."""
        found, invented, missed = ops.unstack(self._counts.value(), num=3)
        quantities = {
            "precision": safe.ratio(found, found + invented, when_empty=math.nan),
            "recall": safe.ratio(found, found + missed, when_empty=math.nan),
            "f1": safe.ratio(2.0 * found, 2.0 * found + invented + missed, when_empty=math.nan),
        }
        return {self.key(name): ops.cast(value, self.dtype) for name, value in quantities.items()}
