"""The area under the ROC curve of a test set, with an interval over its samples."""

import numpy as np


def auc_with_interval(
    truth: np.ndarray, scores: np.ndarray, *, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, float]:
    """{"auc", "auc_low", "auc_high"}: the exact area, and percentiles of that of resamples drawn with replacement.

    AUC = (pairs of a positive with a lower negative + half of those with an equal one) / all pairs

    Args:
        truth: (N,) booleans.
        scores: (N,) numbers.
        resamples: how many; those of one class only are left out.
        confidence: share of them inside of the interval.
        seed: of the draws.

    Example:

    >>> auc_with_interval(np.array([False, True, False, True]), np.array([0.9, 0.8, 0.2, 0.9]))["auc"]
    0.625

    Reference: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    truth, scores = np.asarray(truth, bool).ravel(), np.asarray(scores).ravel()
    levels, level = np.unique(scores, return_inverse=True)
    # One bin for each score and class; a resample changes the counts in them only.
    bins = level + len(levels) * truth
    rng = np.random.default_rng(seed)
    drawn = (_auc(bins[rng.integers(0, len(bins), len(bins))], len(levels)) for _ in range(resamples))
    areas = np.array([area for area in drawn if np.isfinite(area)])
    outside = 50 * (1 - confidence)
    low, high = np.percentile(areas, [outside, 100 - outside]) if areas.size else (np.nan, np.nan)
    return {"auc": _auc(bins, len(levels)), "auc_low": float(low), "auc_high": float(high)}


def _auc(bins, levels):
    negative, positive = np.bincount(bins, minlength=2 * levels).reshape(2, levels)
    pairs = negative.sum() * positive.sum()
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum() / pairs) if pairs else float("nan")
