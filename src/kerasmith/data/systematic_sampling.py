"""Systematic sampling by weight: how often each sample is drawn differs from its expectation by less than one.

Expected counts are rounded to whole multiples of 1 / 2^bits, about 2e-10 for a million draws, so that sums over any number of
samples are exact: no point can fall off the end, and a sample of weight 0 is never drawn.
"""

from typing import Any

import numpy as np

_CHUNK = 1 << 15


def expected_counts(weights: np.ndarray, draws: int) -> np.ndarray:
    """draws * w_i / sum(w): how often each sample is drawn on average, with replacement.

    Args:
        weights: (n,) finite, >= 0, not all 0.
        draws: number of samples to draw.
    """
    with np.errstate(over="ignore"):
        total = weights.sum()
    if not 1e-200 < total < 1e200:
        weights = weights / weights.max()
        total = weights.sum()
    return weights * (draws / total)


def inclusion_probabilities(weights: Any, draws: int) -> np.ndarray:
    """min(1, c w_i) with the c that makes the sum `draws`: how often each sample is drawn without replacement.

    Args:
        weights: (n,) finite, >= 0, at least `draws` of them above 0; one below 1e-250 of the largest counts as that.
        draws: number of samples to draw.

    Example:

    >>> inclusion_probabilities(np.array([8.0, 1.0, 1.0, 0.0, 2.0]), 2).tolist()
    [1.0, 0.25, 0.25, 0.0, 0.5]
    """
    weights = np.where(weights > 0, np.maximum(weights / weights.max(), 1e-250), 0.0)
    certain = np.zeros(len(weights), bool)
    while True:
        rest, left = np.where(certain, 0.0, weights), draws - np.count_nonzero(certain)
        if left == 0:
            return certain.astype("float64")
        rest = rest * (left / rest.sum())
        beyond = rest > 1.0
        if not beyond.any():
            return np.where(certain, 1.0, rest)
        certain |= beyond


def fraction_bits(draws: int) -> int:
    """How many binary digits an expected count has behind the point, so that the sum of all is exact."""
    return 52 - int(draws).bit_length()


def whole_counts(counts: np.ndarray, draws: int) -> np.ndarray:
    """Expected counts as integers in units of 2^-bits, with the sum draws * 2^bits.

    Args:
        counts: (n,) expected counts with the sum `draws`, up to rounding.
        draws: number of samples to draw.

    Returns:
        (n,) int64. Whole counts stay what they are; a count of at most 1 stays so.
    """
    unit = 1 << fraction_bits(draws)
    whole = np.empty(len(counts), np.int64)
    for start in range(0, len(counts), _CHUNK):
        part = slice(start, start + _CHUNK)
        whole[part] = np.rint(counts[part] * unit)
    missing = draws * unit - int(whole.sum())
    sign = 1 if missing > 0 else -1
    some = 16 * abs(missing) + 1024
    while missing:
        # Rounding took less than half a unit of each, so there are more than enough that can give or take one.
        lost = counts[:some] * unit - whole[:some] if some else None
        can = lost * sign > 0 if some else whole % unit != 0  # in the end what floating point lost in the sum
        chosen = np.flatnonzero(can)[: abs(missing)]
        whole[chosen] += sign
        missing -= sign * len(chosen)
        some = len(counts) if 0 < some < len(counts) else 0
    return whole


def draw(cumulative: np.ndarray, draws: int, offset: int, labels: np.ndarray | None = None) -> np.ndarray:
    """The labels of the intervals that the points offset, offset + 1, ... offset + draws - 1 hit.

    Interval i reaches from cumulative[i - 1] to below cumulative[i] and so holds floor or ceil of its length in points.

    Args:
        cumulative: (n,) int64, running sum of `whole_counts`.
        draws: number of points.
        offset: integer, 0 <= offset < 2^bits, in units of 2^-bits.
        labels: (n,) integers in 0..n-1, another order of the samples; ascending by default.

    Returns:
        (draws,) integers, in the order of the labels.

    Example:

    >>> draw(np.cumsum(whole_counts(np.array([1.5, 0.0, 2.5]), 4)), 4, offset=0).tolist()
    [0, 0, 2, 2]
    """
    bits = fraction_bits(draws)
    labels = np.arange(len(cumulative)) if labels is None else labels
    # Half the memory, and so half the cache, where it is enough.
    drawn, done = np.empty(draws, np.int32 if len(labels) <= 2**31 else np.int64), 0
    for start in range(0, len(cumulative), _CHUNK):  # chunks that fit into the cache
        part = slice(start, start + _CHUNK)
        points_before = cumulative[part] + ((1 << bits) - 1 - offset)
        points_before >>= bits
        upto = int(points_before[-1])
        points_before -= done
        # Point j belongs to the interval that as many others of the chunk end before.
        ended = np.cumsum(np.bincount(points_before, minlength=upto - done + 1)[: upto - done])
        drawn[done:upto] = labels[part][ended]
        done = upto
    return drawn
