"""Lesion detection: precision and recall of objects."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Weights, register
from kerasmith.base.arguments import check_choice, check_integer, check_number
from kerasmith.base.host import call_on_host, host_is_reachable
from kerasmith.labels.class_ids import decide
from kerasmith.metrics.object_metric import ObjectMetric, whole_ids
from kerasmith.numerics import safe
from kerasmith.numerics.tensors import static_shape
from kerasmith.objects.binary_images import as_images
from kerasmith.objects.label_propagation import object_counts_on_device
from kerasmith.objects.matching import assignment_solver, object_counts


@register
class LesionDetection(ObjectMetric):
    """Precision, recall and F1 of objects: a true object is found if a predicted one overlaps it with enough IoU.

        precision = matched / predicted objects, recall = matched / true objects, f1 = 2 matched / (predicted + true)

    Objects are the connected components of each image (and of each foreground class). They are matched one to one within
    their image; what is left of the prediction is a false positive, what is left of the truth a miss. Counts are added over
    all images, so the result does not depend on the batch size.

    The work is done on the host by `connected-components-3d`, from compiled steps too. Where a compiler forbids host calls
    (TensorFlow with `jit_compile=True`) it is done on the device by label propagation, with the same counts; for an
    `iou_threshold` below 0.5 and for instances on the host, after each step, so that within an epoch the columns are NaN.

    Args:
        iou_threshold: an overlap counts if its IoU is greater than this, 0 <= iou_threshold < 1. From 0.5 on, at most one
            match is possible for each object.
        connectivity: pixels that touch belong together: 4 or 8 neighbours in 2-D, 6, 18 or 26 in 3-D; None for 8 and 26.
        min_size: components of fewer pixels are dropped from truth and prediction.
        matching: "greedy": the largest IoU first; "optimal": as many matches as possible, then the largest sum of IoU, by
            SciPy. The same from a threshold of 0.5 on, which needs no SciPy.
        size_groups: ascending numbers of pixels, such as (100, 1000): results by size too, of objects below 100 pixels, from
            100 to 999, and from 1000 on. The recall groups true objects by their size, the precision groups predicted ones by
            theirs; f1 = (matched true + matched predicted objects) / (predicted + true objects) of the group.
        threshold: probability above which a pixel is foreground. Several channels: the largest wins, class 0 is background.
        instance_labels: y_true holds instance ids, 0 for background, so that true objects may touch; predicted objects are
            connected components all the same. One class only.
        instance_predictions: y_pred holds instance ids too, so that predicted objects may touch; `instance_labels` must be
            True. `connectivity`, `threshold` and `from_logits` play no part then. (since 0.1)
        from_logits, axis, labels, ignore_class, multi_label: as in the losses. Ignored pixels belong to no object.
        name, dtype: see `kerasmith.base.Metric`.

    Call arguments:
        y_true, y_pred: as of `losses.Dice`, in 2-D or 3-D; instance ids (B, *spatial, 1) where the options say so.
        sample_weight: (B,); the counts of an image are multiplied by it.

    Returns:
        A dict `<name>_precision`, `<name>_recall`, `<name>_f1`; NaN where nothing was counted: the precision of no predicted
        object, the recall of no true one. What they average over: `<name>_objects` true ones, `<name>_predictions` predicted
        ones, in `<name>_cases` images. With `size_groups` the first five again for each group, `<name>_recall_below_100`,
        `<name>_recall_100_to_1000`, `<name>_recall_from_1000`.

    Raises:
        ValueError: for a connectivity that the images do not have, pixel weights or an unknown option.
        ImportError: for optimal matching below 0.5 without SciPy.
        RuntimeError: for `instance_labels` or a threshold below 0.5 under TensorFlow's XLA in `train_on_batch`, on replicas
            and in loops of your own.

    Example:

    >>> import numpy as np
    >>> truth, prediction = np.zeros((2, 1, 8, 8, 1), "float32")
    >>> truth[0, :3, :3], truth[0, 5:, 5:] = 1, 1  # two lesions
    >>> prediction[0, :3, :2], prediction[0, 0, 7] = 1, 1  # one true, one false positive
    >>> metric = LesionDetection()
    >>> metric.update_state(truth, prediction)
    >>> result = {key: float(value) for key, value in metric.result().items()}
    >>> {key: result[key] for key in ("lesion_precision", "lesion_recall", "lesion_f1", "lesion_objects")}
    {'lesion_precision': 0.5, 'lesion_recall': 0.5, 'lesion_f1': 0.5, 'lesion_objects': 2.0}
    """

    # The numbers of objects and images are neither good nor bad.
    directions: dict[str, str | None] = {"objects": None, "predictions": None, "cases": None}

    def __init__(
        self,
        iou_threshold: float = 0.5,
        connectivity: int | None = None,
        min_size: int = 0,
        matching: str = "greedy",
        *,
        size_groups: Sequence[int] | None = None,
        instance_predictions: bool = False,
        name: str = "lesion",
        **kwargs: Any,
    ) -> None:
        check_number("iou_threshold", iou_threshold, minimum=0)
        if iou_threshold >= 1:
            raise ValueError(f"`iou_threshold` must be below 1: no IoU exceeds 1. Received: iou_threshold={iou_threshold}")
        check_choice("matching", matching, ("greedy", "optimal"))
        _check_size_groups(size_groups)
        check_choice("instance_predictions", instance_predictions, (False, True))
        super().__init__(connectivity, min_size, name=name, **kwargs)
        self.iou_threshold = iou_threshold
        self.matching = matching
        self.size_groups = size_groups
        self.instance_predictions = instance_predictions
        if instance_predictions and not self.instance_labels:
            raise ValueError(
                "`instance_predictions=True` compares instance ids with instance ids: write `instance_labels=True` too. "
                "Received: instance_labels=False"
            )
        self._edges = tuple(int(edge) for edge in size_groups or ())
        self.create_totals({"objects": (len(self._edges) + 1, 4), "cases": ()})

    @property
    def works_on_host(self) -> bool:
        """Not for what can be counted on the device under XLA."""
        return self.instance_labels or self.iou_threshold < 0.5

    def statistics(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> dict[str, Tensor]:
        """{"objects": (B, groups, 4): see `matching.object_counts`; "cases": (B,)}."""
        if self.instance_predictions:
            pixels, truth, prediction = self._encode_instances(y_true, y_pred, weights)
        else:
            pixels, truth = self.encode_images(y_true, y_pred, weights)
            prediction = as_images(pixels, decide(pixels, self.threshold) > 0.5)
        counts = self.per_image(self._count(truth, prediction), pixels)
        return {"objects": counts, "cases": ops.ones_like(counts[:, 0, 0])}

    def _encode_instances(self, y_true, y_pred, weights):
        """`Pixels`, and true and predicted instance ids (B, *spatial)."""
        ids = whole_ids(y_pred, "y_pred")
        pixels, truth = self.encode_images(y_true, ops.cast(ids > 0, "float32"), weights)
        ids = ops.reshape(ids, (-1, *pixels.spatial))
        return pixels, truth, ids if pixels.valid is None else ops.where(ops.reshape(pixels.valid, ops.shape(ids)) > 0, ids, 0)

    def _count(self, truth, prediction):
        """(B * classes, groups, 4) float32."""
        if not host_is_reachable() and not self.works_on_host:
            counts = object_counts_on_device(
                truth, prediction, self.iou_threshold, self.connectivity, self.min_size, self._edges
            )
            return ops.cast(counts, "float32")

        if self.matching == "optimal" and self.iou_threshold < 0.5:
            assignment_solver()  # an ImportError is read more easily here than out of a compiled step

        def count(truth, prediction):
            return object_counts(
                truth,
                prediction,
                self.iou_threshold,
                self.matching,
                connectivity=self.connectivity,
                min_size=self.min_size,
                truth_is_labels=self.instance_labels,
                prediction_is_labels=self.instance_predictions,
                size_edges=self._edges,
            )

        return call_on_host(count, (truth, prediction), (static_shape(truth, "y_true")[0], len(self._edges) + 1, 4))

    def combine(self, totals: dict[str, Tensor]) -> dict[str, Tensor]:
        """A dict of precision, recall, F1 and what they average over."""
        counts = totals["objects"]
        result = self._quantities(ops.sum(counts, axis=-2))
        result[self.key("cases")] = totals["cases"]
        if self._edges:
            for group, suffix in enumerate(_group_names(self._edges)):
                result.update(self._quantities(counts[..., group, :], suffix))
        return result

    def _quantities(self, counts, *suffix):
        true_positives, actual, matched, predicted = (counts[..., k] for k in range(4))
        quantities = {
            "precision": safe.ratio(matched, predicted, when_empty=math.nan),
            "recall": safe.ratio(true_positives, actual, when_empty=math.nan),
            "f1": safe.ratio(true_positives + matched, actual + predicted, when_empty=math.nan),
            "objects": actual,
            "predictions": predicted,
        }
        return {self.key(name, *suffix): value for name, value in quantities.items()}


def _group_names(edges):
    between = [f"{low}_to_{high}" for low, high in itertools.pairwise(edges)]
    return [f"below_{edges[0]}", *between, f"from_{edges[-1]}"]


def _check_size_groups(edges):
    if edges is None:
        return
    if isinstance(edges, (str, bytes, dict)) or not hasattr(edges, "__len__"):
        raise TypeError(f"`size_groups` must be numbers of pixels, such as (100, 1000). Received: size_groups={edges!r}")
    for i, edge in enumerate(edges):
        check_integer(f"size_groups[{i}]", edge, minimum=1)
    if not len(edges) or any(low >= high for low, high in itertools.pairwise(edges)):
        raise ValueError(f"`size_groups` must hold at least one number and ascend. Received: size_groups={edges!r}")
