"""The percentile bootstrap of sums over samples. NumPy in, NumPy out."""

from typing import Any

import numpy as np

from kerasmith._types import Tensor

_BLOCK = 2**21  # counts held at a time
_CHUNK = 2**16  # indices drawn at a time, so that they stay in the cache


def resampled_sums(rows: Tensor, n: int, seed: int) -> Any:
    """Sums over `n` resamples of the rows, drawn with replacement and as many as there are.

    Args:
        rows: (R, width), one row of statistics per sample.
        n: number of resamples.
        seed: of the draws; the same rows and seed give the same sums.

    Returns:
        (n, width) float64.
    """
    count = len(rows)
    rows = np.asarray(rows, "float64")
    rng = np.random.default_rng(seed)
    sums = np.zeros((n, rows.shape[1]))
    if not count:
        return sums
    step = max(1, _BLOCK // count)
    for start in range(0, n, step):
        times = _times_drawn(rng, min(step, n - start), count)
        sums[start : start + step] = times @ rows
    return sums


def _times_drawn(rng, resamples, count):
    """(resamples, count) float64: how often each of `count` samples is drawn."""
    times = np.empty((resamples, count))
    step = max(1, _CHUNK // count)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = rng.integers(count, size=(rows, count)) + np.arange(rows)[:, None] * count
        times[start : start + rows] = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
    return times


def percentile_interval(values: Tensor, confidence: float) -> Any:
    """The central interval that holds a share `confidence` of `values`, interpolated; NaN are left out.

    Args:
        values: (n,) results of the replicates. NaN where a replicate has none, as a mean over no case.
        confidence: between 0 and 1.

    Returns:
        (low, high), NaN if all values are.
    """
    values = values[~np.isnan(values)]
    if not values.size:
        return np.nan, np.nan
    tail = (1 - confidence) / 2
    if np.isinf(values).any():  # nothing lies between a number and infinity: take the outer one
        return np.quantile(values, tail, method="lower"), np.quantile(values, 1 - tail, method="higher")
    return np.quantile(values, tail), np.quantile(values, 1 - tail)
