"""Panoptic quality: how many segments are found, times how well they fit."""

import math
from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Weights, register
from kerasmith.base.arguments import check_choice, check_integer, check_number
from kerasmith.base.host import call_on_host
from kerasmith.labels.class_ids import decide
from kerasmith.labels.label_check import check_labels
from kerasmith.labels.label_domain import whole_id_domain
from kerasmith.metrics.object_metric import ObjectMetric
from kerasmith.numerics import safe
from kerasmith.numerics.tensors import accumulation_dtype, compatible, is_float, static_shape
from kerasmith.objects.binary_images import as_images, image_classes
from kerasmith.objects.matching import assignment_solver
from kerasmith.objects.segment_quality import MASKED, component_quality, panoptic_quality

_IDS = whole_id_domain("Categories and instance ids")


@register
class PanopticQuality(ObjectMetric):
    """Panoptic quality PQ = SQ * RQ: recognition of segments times the IoU of the recognised ones.

        RQ = TP / (TP + FP / 2 + FN / 2),   SQ = sum of the IoU of matched pairs / TP

    A predicted and a true segment of one class in one image match if IoU > 0.5, or another `iou_threshold`. Pixels that are
    void (ignored) in one image do not count in the IoU of the other's segments, and an unmatched segment that lies in the void
    by more than half is no error. Counts are added over all images; the qualities are those of each class, averaged over the
    classes that occur (in truth or prediction). A class that occurs but has no match scores 0 in all three.

    Args:
        inputs: "components": labels and predictions as of the losses; segments are the connected components of each
            foreground class. "panoptic": both hold (category, instance) for each pixel.
        things: for "panoptic": categories whose instances are one segment each.
        stuffs: for "panoptic": categories that are one segment an image, whatever the instance id. True pixels of a
            category in neither are void.
        unknown_predictions: for "panoptic", predicted categories in neither are an "error" or "void".
        iou_threshold: the IoU that a match must exceed, from 0 to below 1 (since 0.2).
        matching: "unique": from an IoU of 0.5 on, no segment has two matches to choose from. A threshold below needs a choice:
            "optimal": as many matches as possible, then the largest sum of IoU, by SciPy; "greedy": the largest IoU first
            (since 0.2).
        per_class: adds the results of each class, `<name>_pq_<class>`, NaN for those that do not occur.
        num_classes: for "components": channels of y_pred; None reads them from the first batch.
        connectivity: pixels that touch belong together: 4 or 8 neighbours in 2-D, 6, 18 or 26 in 3-D; None for 8 and 26.
        min_size: components of fewer pixels are dropped from truth and prediction.
        threshold: probability above which a pixel is foreground. Several channels: the largest wins, class 0 is background.
        instance_labels: y_true holds instance ids, 0 for background, so that true objects may touch. One class only.
        from_logits, axis, labels, ignore_class, multi_label: as in the losses. Predicted objects are found as if no pixel was
            ignored, then ignored ones are void. `axis` is that of (category, instance), too.
        name, dtype: see `kerasmith.base.Metric`.

    Call arguments:
        y_true, y_pred: as of `losses.Dice`, in 2-D or 3-D; or, for "panoptic", (B, *spatial, 2) ids.
        sample_weight: (B,); the counts of an image are multiplied by it.

    Returns:
        A dict `<name>_pq`, `<name>_sq`, `<name>_rq`, NaN without segments; `<name>_objects` true segments (without those lost
        in the void) and `<name>_classes` that occur, in `<name>_cases` images.

    Raises:
        ValueError: for shapes that do not fit, a connectivity that the images do not have, pixel weights, unknown
            categories in a prediction, fractions for ids, or an unknown option.
        RuntimeError: under TensorFlow's XLA (`jit_compile=True`) in `train_on_batch`, on replicas and in loops of your own.

    Example:

    >>> import numpy as np
    >>> truth, prediction = np.zeros((2, 1, 8, 8, 1), "float32")
    >>> truth[0, :4, :4], truth[0, 6:, 6:] = 1, 1
    >>> prediction[0, :4, :3] = 1  # found, with IoU 0.75
    >>> metric = PanopticQuality()
    >>> metric.update_state(truth, prediction)
    >>> {key: round(float(value), 4) for key, value in metric.result().items()}
    {'panoptic_pq': 0.5, 'panoptic_sq': 0.75, 'panoptic_rq': 0.6667, 'panoptic_objects': 2.0, 'panoptic_classes': 1.0,
    'panoptic_cases': 1.0}

    Reference: Kirillov et al., Panoptic Segmentation, CVPR 2019.
    """

    works_on_host = True
    # The numbers of segments, classes and images are neither good nor bad.
    directions: dict[str, str | None] = {"objects": None, "classes": None, "cases": None}

    def __init__(
        self,
        inputs: str = "components",
        things: Sequence[int] = (),
        stuffs: Sequence[int] = (),
        *,
        unknown_predictions: str = "error",
        iou_threshold: float = 0.5,
        matching: str = "unique",
        per_class: bool = False,
        num_classes: int | None = None,
        name: str = "panoptic",
        **kwargs: Any,
    ) -> None:
        check_choice("inputs", inputs, ("components", "panoptic"))
        check_choice("unknown_predictions", unknown_predictions, ("error", "void"))
        check_number("iou_threshold", iou_threshold, minimum=0, below=1)
        check_choice("matching", matching, ("unique", "optimal", "greedy"))
        if iou_threshold < 0.5:
            _check_matching(iou_threshold, matching)
        check_choice("per_class", per_class, (False, True))
        if num_classes is not None:
            check_integer("num_classes", num_classes, minimum=1)
        _check_categories(inputs, things, stuffs)
        super().__init__(name=name, **kwargs)
        if inputs == "panoptic":
            _refuse_options(
                ignore_class=self.ignore_class,
                num_classes=num_classes,
                instance_labels=self.instance_labels,
                from_logits=self.from_logits,
                multi_label=self.multi_label,
            )
        self.inputs = inputs
        self.things = things
        self.stuffs = stuffs
        self.unknown_predictions = unknown_predictions
        self.iou_threshold = iou_threshold
        self.matching = matching
        self.per_class = per_class
        self.num_classes = num_classes
        self._classes = None
        if inputs == "panoptic":
            self._set_classes([*things, *stuffs])
        elif num_classes is not None:
            self._set_classes(range(int(num_classes > 1 and not self.multi_label), num_classes))

    def _match_settings(self):
        return {"threshold": self.iou_threshold, "how": "greedy" if self.matching == "unique" else self.matching}

    def _set_classes(self, classes):
        self._classes = list(classes)
        self.create_totals({"segments": (len(self._classes), 4), "cases": ()})

    def statistics(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> dict[str, Tensor]:
        """{"segments": (B, classes, 4): see `segment_quality.segment_counts`; "cases": (B,)}."""
        counts = (self._maps if self.inputs == "panoptic" else self._components)(y_true, y_pred, weights)
        return {"segments": counts, "cases": ops.ones_like(counts[:, 0, 0])}

    def _components(self, y_true, y_pred, weights):
        pixels, truth = self.encode_images(y_true, y_pred, weights)
        self.check_channels(pixels)
        if self._classes is None:
            self._set_classes(image_classes(pixels))
        arrays = [truth, as_images(pixels, decide(pixels, self.threshold) > 0.5, ignored=True)]
        if pixels.valid is not None:
            void = ops.zeros_like(pixels.scores) + pixels.per_class(1 - pixels.valid)
            arrays.append(as_images(pixels, void > 0, ignored=True))

        def count(*arrays):
            return component_quality(
                *arrays,
                connectivity=self.connectivity,
                min_size=self.min_size,
                truth_is_labels=self.instance_labels,
                **self._match_settings(),
            )

        counts = call_on_host(count, arrays, (static_shape(truth, "y_true")[0], 4))
        return ops.reshape(counts, (-1, len(self._classes), 4))

    def _maps(self, y_true, y_pred, weights):
        self.check_whole_images(weights)
        shape, other = static_shape(y_pred, "y_pred"), static_shape(y_true, "y_true")
        if len(shape) < 3 or shape[self.axis] != 2 or not compatible(shape, other):
            raise ValueError(
                f"Panoptic maps hold (category, instance) at axis {self.axis}, (B, *spatial, 2) in both. "
                f"Received: y_true of shape {other}, y_pred of shape {shape}"
            )
        # Floats stay what they are, so that probabilities are found out.
        maps = [
            ops.cast(x, accumulation_dtype(x.dtype)) if is_float(x) else ops.cast(check_labels(x, _IDS), "int32")
            for x in (y_true, y_pred)
        ]
        maps = [ops.moveaxis(x, self.axis, -1) for x in maps]
        if weights.valid_pixel is not None:
            keep = ops.expand_dims(weights.valid_pixel > 0, -1)
            maps = [ops.where(keep, x, MASKED) for x in maps]

        def count(truth, prediction):
            return panoptic_quality(
                truth,
                prediction,
                self.things,
                self.stuffs,
                unknown_predictions=self.unknown_predictions,
                **self._match_settings(),
            )

        return call_on_host(count, maps, (shape[0], len(self._classes), 4))

    def combine(self, totals: dict[str, Tensor]) -> dict[str, Tensor]:
        """A dict of qualities and what they average over."""
        if not totals:  # no batch yet, and classes unknown
            totals = {"segments": ops.zeros((1, 4)), "cases": ops.zeros(())}
        iou, true_positives, false_positives, false_negatives = (totals["segments"][..., k] for k in range(4))
        weight = true_positives + (false_positives + false_negatives) / 2
        occurs = weight > 0
        per_class = {
            "pq": safe.ratio(iou, weight, when_empty=math.nan),
            "sq": ops.where(occurs, safe.ratio(iou, true_positives, when_empty=0.0), math.nan),
            "rq": safe.ratio(true_positives, weight, when_empty=math.nan),
        }
        classes = ops.sum(ops.cast(occurs, "float32"), axis=-1)
        result = {}
        for name, values in per_class.items():
            total = ops.sum(ops.where(occurs, values, 0.0), axis=-1)
            result[self.key(name)] = safe.ratio(total, classes, when_empty=math.nan)
        result[self.key("objects")] = ops.sum(true_positives + false_negatives, axis=-1)
        result[self.key("classes")] = classes
        result[self.key("cases")] = totals["cases"]
        if self.per_class:
            for i, category in enumerate(self._classes or ()):
                result.update({self.key(name, category): values[..., i] for name, values in per_class.items()})
        return result


def _refuse_options(**options):
    given = [f"{name}={value!r}" for name, value in options.items() if value is not None and value is not False]
    if given:
        raise ValueError(
            "Panoptic maps hold category and instance ids, so that options of predicted classes do not apply; leave a "
            f"category out of `things` and `stuffs` to ignore it. Received: {', '.join(given)}"
        )


def _check_matching(iou_threshold, matching):
    if matching == "unique":
        raise ValueError(
            "Below an IoU of 0.5 a segment may have several matches to choose from. Received: "
            f"iou_threshold={iou_threshold}, matching='unique'. Write `matching='optimal'`."
        )
    if matching == "optimal":
        assignment_solver()  # says so now if SciPy is missing


def _check_categories(inputs, things, stuffs):
    for name, ids in (("things", things), ("stuffs", stuffs)):
        if isinstance(ids, (str, bytes, dict)) or not hasattr(ids, "__len__"):
            raise TypeError(f"`{name}` must be a list of category ids. Received: {name}={ids!r}")
        for i, category in enumerate(ids):
            check_integer(f"{name}[{i}]", category, minimum=0)
    both = [*things, *stuffs]
    if len(set(both)) < len(both):
        raise ValueError(f"`things` and `stuffs` must not repeat a category. Received: things={things!r}, stuffs={stuffs!r}")
    if bool(both) != (inputs == "panoptic"):
        raise ValueError(
            "`things` and `stuffs` name the categories of inputs='panoptic' (at least one), and of no other inputs. "
            f"Received: inputs={inputs!r}, things={things!r}, stuffs={stuffs!r}"
        )
