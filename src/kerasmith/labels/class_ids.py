"""What is true and what was decided, as one class id for each element."""

import math
from typing import Any, NamedTuple

from keras import ops

from kerasmith._types import Tensor
from kerasmith.labels.label_check import check_labels
from kerasmith.labels.label_domain import LabelDomain
from kerasmith.labels.nan_predictions import doubt_predictions
from kerasmith.labels.pixels import Pixels, encode, flatten, ids_to_ignore
from kerasmith.numerics.largest import among_largest
from kerasmith.numerics.tensors import compatible, is_float, repeat_each, static_shape

_SCORES = "Write predictions='scores' and give y_pred a class axis, (B, *spatial, C)."
_WHOLE_IDS = {
    what: LabelDomain(
        expected := f"With predictions='ids', {what} must hold class ids.",
        _SCORES,
        fractions=f"{expected} Received: fractions. {_SCORES}",
        of=what,
    )
    for what in ("y_true", "y_pred")
}


class ClassIds(NamedTuple):
    """One batch of N elements a sample.

    Attributes:
        truth, prediction: (B, N) ids in any dtype; an id from `classes` on, or below 0, is out of range.
        classes: C, 2 for binary masks.
        valid: (B, N), 0 on elements that do not count; None if all count.
        weight: (B, N) weights of the elements; None for all ones.
        dense: True if labels came one-hot: then an id out of range means a pixel of no class.
    """

    truth: Any
    prediction: Any
    classes: int
    valid: Any
    weight: Any
    dense: bool


def ids_of_pixels(pixels: Pixels, threshold: float, top_k: int | None = None) -> ClassIds:
    """`ClassIds` of a `Pixels` record. Independent masks are stacked: (B * C, N), binary."""
    if top_k is not None and pixels.class_axis is None:
        raise ValueError(
            f"`top_k` chooses among the scores of several classes. Received: top_k={top_k} and y_pred with one channel. "
            "Leave `top_k` out, or give y_pred one channel per class."
        )
    if not pixels.binary:
        axis = pixels.class_axis
        truth = pixels.ids
        if truth is None:  # all zeros: of no class
            labelled = ops.max(pixels.dense, axis=axis) > 0
            truth = ops.where(labelled, ops.cast(ops.argmax(pixels.dense, axis=axis), "int32"), pixels.channels)
        prediction = ops.cast(ops.argmax(pixels.scores, axis=axis), "int32")
        if top_k is not None:
            classes = ops.arange(pixels.channels, dtype="int32")
            classes = ops.expand_dims(classes, -1) if axis == 1 else classes
            right = ops.logical_and(
                among_largest(pixels.scores, top_k, axis), ops.equal(ops.expand_dims(truth, axis), classes)
            )
            prediction = ops.where(ops.any(right, axis=axis), truth, prediction)
        return ClassIds(truth, prediction, pixels.channels, pixels.valid, pixels.weight, pixels.dense is not None)
    dense, valid, weight = pixels.dense, pixels.valid, pixels.weight
    if top_k is None:
        decided = pixels.scores > score_threshold(threshold, pixels.from_logits)
    else:
        decided = among_largest(pixels.scores, top_k, pixels.class_axis)
    prediction = ops.cast(decided, "int32")
    if pixels.class_axis is not None:
        prediction, dense = (_stack(x, pixels.class_axis) for x in (prediction, dense))
        valid, weight = (x if x is None else _of_channels(x, pixels) for x in (valid, weight))
    known = ops.logical_and(dense >= 0, dense <= 1)  # NaN is not
    truth = ops.where(known, ops.cast(dense > 0.5, "int32"), 2)
    return ClassIds(truth, prediction, 2, valid, weight, False)


def class_ids(
    y_true: Tensor,
    y_pred: Tensor,
    classes: int | None,
    *,
    predictions: str = "auto",
    threshold: float = 0.5,
    top_k: int | None = None,
    weights: Any = None,
    **reading: Any,
) -> ClassIds:
    """`ClassIds` of labels and predictions.

    Args:
        y_true: labels in any form that `pixels.encode` reads.
        y_pred: scores (B, *spatial, C), or class ids (B, *spatial).
        classes: C, or None to read it from the scores.
        predictions: "scores", "ids", or "auto": ids if y_pred holds integers in the shape of the labels.
        threshold: probability above which a binary element is 1.
        top_k: of competing classes, the decision is the true class if it is among the k largest scores, else the largest; of
            independent ones, the k largest are 1. Equal scores count in the order of their classes.
        weights: `Weights`, or None.
        reading: `from_logits`, `axis`, `labels`, `ignore_class`, `multi_label` of `pixels.encode`.

    Raises:
        ValueError: if scores come where ids are expected, or the other way, or the number of channels is not C, or `top_k` has
            no scores to choose from.
    """
    pixel, target, mask = (None,) * 3 if weights is None else (weights.pixel, weights.target, weights.valid_pixel)
    if predictions_are_ids(y_true, y_pred, predictions, classes):
        if top_k is not None:
            raise ValueError(
                f"`top_k` chooses among the scores of several classes. Received: top_k={top_k} and class ids in y_pred. "
                f"Give y_pred scores, (B, *spatial, {classes}), or leave `top_k` out."
            )
        return _of_ids(y_true, y_pred, classes, reading.get("ignore_class"), pixel, mask)
    shape = static_shape(y_pred, "y_pred")
    axis = reading.get("axis", -1)
    channels = shape[axis] if len(shape) > 1 else None
    expected = (None, classes, 1 if classes == 2 and not reading.get("multi_label") else classes)
    if len(shape) < 2 or (classes is not None and channels not in expected):
        raise ValueError(
            f"y_pred must hold {classes} scores for each element, (B, *spatial, {classes}). Received: shape {shape}. "
            "Write `predictions='ids'` if it holds class ids."
        )
    given = {"pixel_weight": pixel, "target_weight": target, "mask": mask, "strict": "masks"}
    pixels = encode(y_true, y_pred, **given, **reading)
    doubt_predictions(pixels)
    return ids_of_pixels(pixels, threshold, top_k)


def predictions_are_ids(y_true: Tensor, y_pred: Tensor, predictions: str, classes: int | None) -> bool:
    """Whether `y_pred` holds class ids; see `class_ids`."""
    if predictions != "auto":
        return predictions == "ids"
    if is_float(y_pred) or classes is None:
        return False
    shape_true, shape_pred = static_shape(y_true, "y_true"), static_shape(y_pred, "y_pred")
    return compatible(_without_one(shape_true), _without_one(shape_pred)) and (
        len(shape_pred) < 2 or shape_pred[-1] != classes
    )


def _of_ids(y_true, y_pred, classes, ignore_class, pixel, mask):
    shape_true, shape_pred = static_shape(y_true, "y_true"), static_shape(y_pred, "y_pred")
    if not compatible(_without_one(shape_true), _without_one(shape_pred)):
        raise ValueError(
            f"With predictions='ids', y_true and y_pred hold one class id for each element. Received: y_true of shape "
            f"{shape_true} and y_pred of shape {shape_pred}, which would broadcast. Write predictions='scores' for scores "
            "(B, *spatial, C), and `keras.ops.argmax(y_true, -1)` for one-hot labels."
        )
    truth, prediction = (_flat(check_labels(x, _WHOLE_IDS[what])) for what, x in (("y_true", y_true), ("y_pred", y_pred)))
    valid = None if mask is None else ops.cast(_flat(mask), "float32")
    for ignored in ids_to_ignore(ignore_class):
        counts = ops.cast(ops.not_equal(truth, ignored), "float32")
        valid = counts if valid is None else valid * counts
    weight = None if pixel is None else ops.cast(_flat(pixel), "float32")
    if weight is not None and valid is not None:
        weight = weight * valid
    return ClassIds(truth, prediction, classes, valid, weight, False)


def _without_one(shape):
    return shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape


def _flat(x):
    return flatten(x, static_shape(x, "y_pred"), None, 1)


def _of_channels(x, pixels):
    """Weights of pixels or of single channels as (B * C, N)."""
    return _stack(x, pixels.class_axis) if len(x.shape) == 3 else repeat_each(x, pixels.channels)


def _stack(x, class_axis):
    """(B, N, C) or (B, C, N) -> (B * C, N)."""
    x = ops.transpose(x, (0, 2, 1)) if class_axis == 2 else x
    return ops.reshape(x, (-1, ops.shape(x)[2]))


def decide(pixels: Pixels, threshold: float) -> Tensor:
    """Hard 0/1 decisions in the layout of `pixels.scores`.

    Args:
        pixels: a `Pixels` record.
        threshold: probability above which a binary channel is 1. Competing classes: the largest score wins.
    """
    scores = pixels.scores
    if pixels.binary:
        return ops.cast(scores > score_threshold(threshold, pixels.from_logits), scores.dtype)
    winner = ops.expand_dims(ops.argmax(scores, axis=pixels.class_axis), pixels.class_axis)
    classes = ops.arange(pixels.channels, dtype=winner.dtype)
    classes = ops.expand_dims(classes, -1) if pixels.class_axis == 1 else classes
    return ops.cast(ops.equal(winner, classes), scores.dtype)


def score_threshold(threshold: float, from_logits: bool) -> float:
    """The bound on the scores that means `probability > threshold`; for logits no sigmoid is needed."""
    if not from_logits:
        return threshold
    if threshold in (0, 1):
        return -math.inf if threshold == 0 else math.inf
    return math.log(threshold / (1 - threshold))
