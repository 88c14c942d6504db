"""Measures of a confusion matrix, in forms that do not cancel where nearly everything is of one class.

Matrices are (..., C, C), rows the truth, columns the prediction.
"""

import math

import numpy as np
from keras import ops

from kerasmith._types import Tensor
from kerasmith.labels.overlap import RegionSums
from kerasmith.numerics import safe

WEIGHTINGS = (None, "linear", "quadratic")


def region_sums_of(matrix: Tensor) -> RegionSums:
    """`RegionSums` of each class, (..., C): hits, predicted and true elements."""
    return RegionSums(ops.diagonal(matrix, axis1=-2, axis2=-1), ops.sum(matrix, axis=-2), ops.sum(matrix, axis=-1))


def per_class(sums: RegionSums, total: Tensor, absent: float, beta: float = 1.0) -> dict[str, Tensor]:
    """{quantity: (..., C)} of `RegionSums`.

    Args:
        sums: hits, predicted and true elements of each class.
        total: all elements, (..., 1).
        absent: the value of 0 / 0, as of the precision of a class that was never predicted.
        beta: weight of recall against precision in "fbeta".
    """
    hits, predicted, actual = sums
    correctly_left_out = total - predicted - actual + hits
    return {
        "precision": safe.ratio(hits, predicted, when_empty=absent),
        "recall": safe.ratio(hits, actual, when_empty=absent),
        "f1": safe.ratio(2.0 * hits, predicted + actual, when_empty=absent),
        "fbeta": safe.ratio((1.0 + beta**2) * hits, predicted + beta**2 * actual, when_empty=absent),
        "iou": safe.ratio(hits, predicted + actual - hits, when_empty=absent),
        "specificity": safe.ratio(correctly_left_out, total - actual, when_empty=absent),
        "support": actual,
    }


def mean_over_classes(values: Tensor, weight: Tensor | None = None, when_empty: float = math.nan) -> Tensor:
    """The mean over the last axis of what is no NaN, weighed by `weight` if there is one; `when_empty` if nothing is left."""
    known = ops.logical_not(ops.isnan(values))
    weight = ops.cast(known, values.dtype) if weight is None else ops.where(known, weight, 0.0)
    total = ops.sum(ops.where(known, values, 0.0) * weight, axis=-1)
    return safe.ratio(total, ops.sum(weight, axis=-1), when_empty=when_empty)


def matthews_correlation(matrix: Tensor) -> Tensor:
    """(s c - sum t_k p_k) / sqrt((s^2 - sum p_k^2) (s^2 - sum t_k^2)).

    0 where truth or prediction is of one class only, NaN where there is nothing.
    """
    covariance, true, predicted = _moments(matrix)
    spread = ops.sqrt(ops.sum(true * _others(true), axis=-1)) * ops.sqrt(ops.sum(predicted * _others(predicted), axis=-1))
    return ops.where(ops.sum(true, axis=-1) > 0, safe.ratio(covariance, spread, when_empty=0.0), math.nan)


def cohen_kappa(matrix: Tensor, weighting: str | None = None) -> Tensor:
    """1 - sum(w m) / sum(w t p) with weights 1, |i - j| or (i - j)^2 off the diagonal; NaN where chance explains all."""
    if weighting is None:
        covariance, true, predicted = _moments(matrix)
        return safe.ratio(covariance, ops.sum(true * _others(predicted), axis=-1), when_empty=math.nan)
    classes = np.arange(matrix.shape[-1])
    distance = np.abs(classes[:, None] - classes).astype("float32") ** (1 if weighting == "linear" else 2)
    distance = ops.convert_to_tensor(distance)
    shares = _shares(matrix)
    chance = ops.expand_dims(ops.sum(shares, axis=-1), -1) * ops.expand_dims(ops.sum(shares, axis=-2), -2)
    observed, expected = (ops.sum(x * distance, axis=(-2, -1)) for x in (shares, chance))
    return 1.0 - safe.ratio(observed, expected, when_empty=math.nan)


def _moments(matrix):
    """sum over classes of (share of hits - share true x share predicted), and the shares true and predicted."""
    shares = _shares(matrix)
    hits, predicted, true = region_sums_of(shares)
    # h - t p = h d - (t - h) (p - h), where d is the share that is neither; the left side cancels near h = 1.
    off_diagonal = shares * ops.convert_to_tensor(1.0 - np.eye(shares.shape[-1], dtype="float32"))
    false_negatives, false_positives = ops.sum(off_diagonal, axis=-1), ops.sum(off_diagonal, axis=-2)
    neither = ops.maximum(_others(true) - false_positives, 0.0)
    return ops.sum(hits * neither - false_negatives * false_positives, axis=-1), true, predicted


def _shares(matrix):
    total = ops.sum(matrix, axis=(-2, -1), keepdims=True)
    return safe.ratio(matrix, total, when_empty=0.0)


def _others(shares):
    """The sum of all shares but one's own, (..., C), without taking a difference."""
    classes = shares.shape[-1]
    return ops.sum(ops.expand_dims(shares, -2) * ops.convert_to_tensor(1.0 - np.eye(classes, dtype="float32")), axis=-1)
