"""Free-response ROC: candidates with a score, what they hit, and the curve of hits over false alarms.

Counting is NumPy in, NumPy out; the curve is a function of tensors.
"""

import math
from typing import Any

import numpy as np
from keras import ops

from kerasmith._types import Tensor
from kerasmith.objects.components import connectivity_order, label_objects, overlaps, renumber_objects

HITS = ("overlap", "iou", "peak", "center")


def scored_candidates(
    truth: Any,
    probability: np.ndarray,
    threshold: float,
    hit: str,
    iou_threshold: float = 0.0,
    connectivity: int | None = None,
    min_size: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """The best score that hit each true object, and the scores of the candidates that hit none.

    Args:
        truth: labels of one image, 0 for background and 1, 2, ....
        probability: the same shape. A candidate is a connected component of `probability > threshold`, its score the largest
            probability inside.
        hit: what hits an object: "overlap": a shared pixel; "iou": IoU > `iou_threshold`; "peak": the candidate's pixel of
            the largest probability (the first of equals) lies in the object; "center": its centre of mass, rounded, does.
        connectivity, min_size: see `components.label_objects`.

    Returns:
        (true objects) scores, -inf for missed ones; (false candidates) scores. Candidates beyond the first on one object are
        in neither.
    """
    best = np.full(int(truth.max(initial=0)), -np.inf)
    labels, count = label_objects(probability > threshold, connectivity, min_size)
    if not count:
        return best, np.zeros(0)
    inside = np.flatnonzero(labels)
    label, value = labels.ravel()[inside] - 1, probability.ravel()[inside]
    score = np.full(count, -np.inf, value.dtype)
    np.maximum.at(score, label, value)
    if hit in ("overlap", "iou"):
        pairs = overlaps(labels, truth)
        enough = pairs.iou > (iou_threshold if hit == "iou" else 0)
        candidate, target = pairs.first[enough], pairs.second[enough]
    else:
        if hit == "peak":
            at = np.zeros(count, "int64")
            peaks = np.flatnonzero(value == score[label])[::-1]
            at[label[peaks]] = inside[peaks]  # the first pixel is written last
        else:
            size = np.bincount(label)
            center = [np.bincount(label, axis) / size for axis in np.unravel_index(inside, labels.shape)]
            at = np.ravel_multi_index([np.floor(axis + 0.5).astype(int) for axis in center], labels.shape)
        target = truth.ravel()[at] - 1
        candidate = np.flatnonzero(target >= 0)
        target = target[candidate]
    np.maximum.at(best, target, score[candidate])
    false = np.ones(count, bool)
    false[candidate] = False
    return best, score[false]


def score_bins(score: Any, threshold: float, bins: int) -> Any:
    """The bin from 0 to bins - 1 of each score above the threshold; the order of scores is kept.

    Half of the bins are spent evenly on probabilities and half on logits, so that scores are told apart both in the middle
    and where a network is nearly sure, up to 1 - 2**-24, the last float32 below 1, and 1 itself.
    """
    return np.clip(np.ceil(bins * _position(np.asarray(score, "float64"), threshold)) - 1, 0, bins - 1).astype("int64")


def bin_edges(threshold: float, bins: int) -> np.ndarray:
    """The lowest score of each bin, by bisection."""
    low, high = np.full(bins, float(threshold)), np.ones(bins)
    for _ in range(60):
        middle = (low + high) / 2
        above = bins * _position(middle, threshold) > np.arange(bins)
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return high


def _position(score, threshold):
    floor, ceiling = max(float(threshold), 2.0**-24), 1 - 2.0**-25
    score = np.clip(score, floor, ceiling)

    def logit(p):
        return np.log(p / (1 - p))

    even = (score - floor) / (ceiling - floor)
    return (even + (logit(score) - logit(floor)) / (logit(ceiling) - logit(floor))) / 2


def free_response_counts(
    truth: Any,
    probability: np.ndarray,
    threshold: float,
    bins: int,
    *,
    hit: str,
    iou_threshold: float = 0.0,
    connectivity: int | None = None,
    min_size: int = 0,
    truth_is_labels: bool = False,
) -> np.ndarray:
    """Histograms over the scores of hits and of false candidates.

    Args:
        truth: boolean (N, *spatial), or integer instance labels.
        probability: (N, *spatial).
        others: see `scored_candidates` and `score_bins`.

    Returns:
        int64 (N, 1 + 2 * bins): the true objects; how many of them were hit first at each score; false candidates of each.
    """
    connectivity_order(connectivity, truth.ndim - 1)
    rows = np.zeros((len(truth), 1 + 2 * bins), "int64")
    for row, one_truth, one_probability in zip(rows, truth, probability):
        if truth_is_labels:
            labels, row[0] = renumber_objects(one_truth, min_size)
        else:
            labels, row[0] = label_objects(one_truth, connectivity, min_size)
        best, false = scored_candidates(labels, one_probability, threshold, hit, iou_threshold, connectivity, min_size)
        row[1 : bins + 1] = np.bincount(score_bins(best[best > -np.inf], threshold, bins), minlength=bins)
        row[bins + 1 :] = np.bincount(score_bins(false, threshold, bins), minlength=bins)
    return rows


def cumulative(histogram: Tensor) -> Tensor:
    """How many are counted at or above each score, from none to all: (..., bins) -> (..., bins + 1)."""
    counts = ops.cumsum(ops.flip(histogram, axis=-1), axis=-1)
    return ops.concatenate([ops.zeros_like(counts[..., :1]), counts], axis=-1)


def value_at(x: Tensor, y: Tensor, at: Tensor) -> Tensor:
    """y(at) on the polygon through points that ascend in x and in y; of equal x the last, beyond the last x the last y.

    Args:
        x, y: (..., points); the first x is 0.
        at: (...), >= 0.
    """
    at = ops.expand_dims(at, -1)
    before = x <= at
    x0, y0 = ops.max(ops.where(before, x, 0.0), axis=-1), ops.max(ops.where(before, y, 0.0), axis=-1)
    x1, y1 = ops.min(ops.where(before, math.inf, x), axis=-1), ops.min(ops.where(before, math.inf, y), axis=-1)
    last = ops.all(before, axis=-1)
    x1, y1 = ops.where(last, x0 + 1.0, x1), ops.where(last, y0, y1)
    return y0 + (ops.squeeze(at, -1) - x0) / (x1 - x0) * (y1 - y0)
