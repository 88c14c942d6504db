"""Matched, invented and missed segments of images, and how well the matched ones fit. NumPy in, NumPy out."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasmith.objects.components import Overlaps, connectivity_order, label_objects, renumber_objects, shared_pixels
from kerasmith.objects.matching import match

MASKED = -1  # a category that is void in truth and prediction


def segment_counts(
    truth: Any,
    prediction: Any,
    void_truth: Any = None,
    void_prediction: Any = None,
    categories: Any = None,
    threshold: float = 0.5,
    how: str = "greedy",
) -> np.ndarray:
    """What two label images of the same scene have in common.

    A true and a predicted segment of one category match if IoU > 0.5; at most one match is possible for each. Pixels that are
    void in the other image do not count in the union, and an unmatched segment that lies in it by more than half counts as
    neither invented nor missed.

    Args:
        truth, prediction: label images of one shape, 0 for no segment and 1, 2, ....
        void_truth, void_prediction: boolean images, or None for no void.
        categories: None for one category, or (categories of the true segments, of the predicted ones, their number): the
            entry i is the category from 0 of label i + 1.
        threshold: the IoU that a match must exceed.
        how: below a threshold of 0.5, how matches are chosen, see `matching.match`.

    Returns:
        float64 (categories, 4): sum of the IoU of matched pairs, matched pairs, invented segments, missed segments.

    Example:

    >>> segment_counts(np.array([1, 1, 1, 0, 2]), np.array([0, 1, 1, 2, 0])).round(3).tolist()
    [[0.667, 1.0, 1.0, 1.0]]

    Reference: Kirillov et al., Panoptic Segmentation, CVPR 2019.
    """
    truth, prediction = truth.ravel(), prediction.ravel()
    size_a, size_b = np.bincount(truth, minlength=1), np.bincount(prediction, minlength=1)
    if categories is None:
        categories = np.zeros(len(size_a) - 1, int), np.zeros(len(size_b) - 1, int), 1
    category_a, category_b, number = categories
    void_a, void_b = _inside(truth, void_prediction, len(size_a)), _inside(prediction, void_truth, len(size_b))
    a, b, shared = shared_pixels(truth, prediction, len(size_a), len(size_b))
    union = size_a[a] - void_a[a] + size_b[b] - void_b[b] - shared
    # Where rounding could matter, at a threshold that is an IoU, both are the same nearest float.
    same, iou = category_a[a - 1] == category_b[b - 1], shared / np.maximum(union, 1)
    a, b, iou = a[same], b[same], iou[same]
    matched = match(Overlaps(a, b, iou), threshold, how)
    a, b, iou = a[matched], b[matched], iou[matched]
    false_negative, false_positive = 2 * void_a <= size_a, 2 * void_b <= size_b
    false_negative[a], false_positive[b] = False, False
    return np.stack(
        [
            np.bincount(category_a[a - 1], iou, number),
            np.bincount(category_a[a - 1], minlength=number),
            np.bincount(category_b[false_positive[1:]], minlength=number),
            np.bincount(category_a[false_negative[1:]], minlength=number),
        ],
        axis=-1,
    )


def _inside(labels, void, number):
    return np.zeros(number, "int64") if void is None else np.bincount(labels[void.ravel()], minlength=number)


def component_quality(
    truth: Any,
    prediction: Any,
    void: Any = None,
    *,
    connectivity: int | None = None,
    min_size: int = 0,
    truth_is_labels: bool = False,
    threshold: float = 0.5,
    how: str = "greedy",
) -> np.ndarray:
    """`segment_counts` of images whose connected components are the segments.

    Args:
        truth: boolean (B, *spatial), False in the void; or instance labels.
        prediction: boolean (B, *spatial), decided in the void too.
        void: boolean (B, *spatial), or None.
        connectivity, min_size: see `components.label_objects`.
        truth_is_labels: `truth` holds integer instance labels.
        threshold, how: see `segment_counts`.

    Returns:
        float64 (B, 4).
    """
    connectivity_order(connectivity, truth.ndim - 1)
    rows = np.zeros((len(truth), 4))
    for i, row in enumerate(rows):
        if truth_is_labels:
            labels, _ = renumber_objects(truth[i], min_size)
        else:
            labels, _ = label_objects(truth[i], connectivity, min_size)
        predicted, _ = label_objects(prediction[i], connectivity, min_size)
        row[:] = segment_counts(labels, predicted, None if void is None else void[i], threshold=threshold, how=how)[0]
    return rows


def panoptic_quality(
    truth: Any,
    prediction: Any,
    things: Sequence[int],
    stuffs: Sequence[int],
    *,
    unknown_predictions: str = "error",
    threshold: float = 0.5,
    how: str = "greedy",
) -> np.ndarray:
    """`segment_counts` of panoptic maps.

    Args:
        truth, prediction: whole numbers (B, *spatial, 2), the category and the instance of each pixel.
        things: categories whose instances are one segment each.
        stuffs: categories that are one segment an image; their instance ids do not matter.
        unknown_predictions: "error", or "void" for predicted pixels of categories that are neither; true ones are void, and so
            is `MASKED` in both.
        threshold, how: see `segment_counts`.

    Returns:
        float64 (B, things + stuffs, 4), categories in the order of `things` and then `stuffs`.

    Raises:
        ValueError: for predicted categories that are neither, or fractions.
    """
    truth, prediction = _whole(truth, "y_true"), _whole(prediction, "y_pred")
    known = np.array([*things, *stuffs], "int64")
    rows = np.zeros((len(truth), len(known), 4))
    for i, row in enumerate(rows):
        labels, categories, void = _segments(truth[i], known, len(things))
        predicted, predicted_categories, predicted_void = _segments(prediction[i], known, len(things))
        strange = ()
        if unknown_predictions == "error" and predicted_void.any():
            strange = set(prediction[i][..., 0].ravel()[predicted_void].tolist()) - {MASKED}
        if strange:
            raise ValueError(
                f"Expected predicted categories among things {list(things)} and stuffs {list(stuffs)}. "
                f"Received: categories {sorted(strange)}. Write `unknown_predictions='void'` to leave such pixels out."
            )
        categories = categories, predicted_categories, len(known)
        row[:] = segment_counts(labels, predicted, void, predicted_void, categories, threshold, how)
    return rows


def _whole(ids, name):
    if ids.dtype.kind == "f" and not (ids == np.floor(ids)).all():
        raise ValueError(
            f"Panoptic maps hold the ids of a category and an instance. Received: fractions in {name}. "
            "Write `keras.ops.argmax(probabilities, axis=-1)` for the category."
        )
    return ids.astype("int64")


def _segments(image, known, things):
    """Flat labels from 1, the index in `known` of each label's category, and where the category is unknown."""
    category, instance = image[..., 0].ravel(), image[..., 1].ravel()
    order = np.argsort(known)
    place = np.minimum(np.searchsorted(known, category, sorter=order), len(known) - 1)
    index = order[place]
    void = known[index] != category
    instance = np.where(index < things, instance, 0)
    low = instance.min(initial=0)
    # Void is 0; the rest is numbered by instance and category.
    keys = np.where(void, 0, (instance - low) * len(known) + index + 1)
    if keys.max(initial=0) <= 4 * len(keys):  # a small table: counting beats sorting
        present = np.bincount(keys, minlength=1) > 0
        present[0] = True
        ids, labels = np.flatnonzero(present), (np.cumsum(present) - 1)[keys]
    else:
        ids, labels = np.unique(np.append(0, keys), return_inverse=True)
        labels = labels.ravel()[1:]
    return labels, (ids[1:] - 1) % len(known), void
