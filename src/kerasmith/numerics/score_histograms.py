"""Histograms of the scores of positives and negatives, fine where probabilities saturate, and what rank statistics they give.

Bins are even in u = z / (8 + |z|), z the logit of the score: at 16384 bins 0.001 wide at z = 0, 0.005 at z = 10 (probability
0.99995) and 0.2 at z = 100. They do not depend on the data, so histograms of batches and of replicas add up.
"""

import math
from typing import Any

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.numerics import safe
from kerasmith.numerics.bincount import bincount

_HALF_RANGE = 8.0  # the logit at which half of the bins of a side are used up
_LARGEST = 1e9  # stands for infinite logits: the last bin on either side


def logits_of(probabilities: Tensor) -> Tensor:
    """log(p / (1 - p)); infinite at 0 and 1."""
    return ops.log(probabilities / (1.0 - probabilities))


def rest_logits(logits: Tensor, axis: int) -> Tensor:
    """Each class against all others: x_c - log(sum over k != c of exp(x_k)), exact also where the softmax saturates.

    Args:
        logits: competing classes along `axis`.
        axis: the class axis.
    """
    logits = ops.clip(logits, -_LARGEST, _LARGEST)
    winner, largest = _largest(logits, axis)
    powers = ops.exp(logits - largest)
    # Without the winner its own share would be a difference of nearly equal sums, or of sums that underflow.
    others = ops.where(winner, -math.inf, logits)
    _, second = _largest(others, axis)
    beside_winner = second + ops.log(ops.sum(ops.exp(others - second), axis=axis, keepdims=True))
    losers = ops.where(winner, 0.0, powers)
    rest = 1.0 + (ops.sum(losers, axis=axis, keepdims=True) - losers)
    return logits - ops.where(winner, beside_winner, largest + ops.log(rest))


def _largest(x, axis):
    """Where the largest of each row stands, and the largest; not by `max`, which Keras refuses on an empty batch."""
    place = ops.one_hot(ops.argmax(x, axis=axis), x.shape[axis], axis=axis, dtype="bool")
    return place, ops.sum(ops.where(place, x, 0.0), axis=axis, keepdims=True)


def bin_index(scores: Tensor, bins: int, *, from_logits: bool) -> Tensor:
    """The bin of each score, int32 in [0, bins); `bins` for NaN.

    Args:
        scores: probabilities or logits.
        bins: number of bins.
        from_logits: which of the two.
    """
    # A shade less than half, so that rounding never reaches `bins`. NaN is sorted out in floats: what it becomes as a whole
    # number depends on the device, and must not be written anywhere.
    half, scale = 0.5 * bins, 0.5 * bins * (1.0 - 1e-6)
    if keras.backend.backend() == "torch":
        z = scores.detach().clamp(-_LARGEST, _LARGEST) if from_logits else scores.detach().logit().clamp_(-_LARGEST, _LARGEST)
        distance = z.abs().add_(_HALF_RANGE)
        return z.mul_(scale).div_(distance).add_(half).nan_to_num_(float(bins)).int()  # in place: half the time
    z = ops.clip(scores if from_logits else logits_of(scores), -_LARGEST, _LARGEST)
    place = half + (scale * z) / (_HALF_RANGE + ops.abs(z))
    return ops.cast(ops.where(place == place, place, float(bins)), "int32")


def bin_scores(bins: int) -> Tensor:
    """The logit in the middle of each bin, as a list."""
    middles = [(i + 0.5) / (0.5 * bins) - 1.0 for i in range(bins)]
    return [_HALF_RANGE * u / (1.0 - abs(u)) for u in middles]


def score_histogram(
    index: Tensor,
    positive: Tensor,
    bins: int,
    *,
    channel: Any = None,
    channels: Any = 1,
    counts: Any = None,
    weight: Tensor | None = None,
) -> Tensor:
    """Histograms of negatives and positives.

    Args:
        index: bins as of `bin_index`, any shape.
        positive: booleans, in the same shape.
        bins: number of bins.
        channel: the channel of each element, int32 that broadcasts to `index`; None for one channel.
        channels: number of channels.
        counts: None, or booleans that broadcast: False elements are left out.
        weight: None, or weights that broadcast.

    Returns:
        (channels, 2, bins + 1): negatives and positives; the last bin counts NaN. int32, float32 if there are weights.
    """
    row = bins + 1
    cell = index + ops.cast(positive, "int32") * row
    if channel is not None:
        cell = cell + channel * (2 * row)
    length = channels * 2 * row
    if counts is not None:
        cell = ops.where(counts, cell, length)  # one more cell for what does not count
    if weight is not None:
        weight = ops.reshape(ops.broadcast_to(ops.cast(weight, "float32"), ops.shape(cell)), (-1,))
    sums = bincount(ops.reshape(cell, (-1,)), weight, length + (counts is not None))
    return ops.reshape(sums[:length], (channels, 2, row))


def area_under_roc(histogram: Tensor) -> Tensor:
    """P(score of a positive > score of a negative) + P(equal) / 2, (..., 2, bins + 1) -> (...); NaN without both, and for NaN.

    Scores of one bin count as equal.
    """
    _, positives = _shares(histogram)
    negatives = histogram[..., 0, :-1]
    # Counts add up without rounding, shares do not: TensorFlow adds one after the other.
    beaten = ops.cumsum(negatives, axis=-1) - 0.5 * negatives
    return safe.ratio(ops.sum(positives * beaten, axis=-1), ops.sum(negatives, axis=-1), when_empty=math.nan)


def average_precision(histogram: Tensor) -> Tensor:
    """sum over bins from the highest of (R_n - R_(n-1)) P_n, (..., 2, bins + 1) -> (...); NaN without positives."""
    spoiled = ops.any(histogram[..., -1] > 0, axis=-1)
    negatives, positives = _falling(histogram[..., 0, :-1]), _falling(histogram[..., 1, :-1])
    total = ops.sum(positives, axis=-1)
    found = ops.cumsum(positives, axis=-1)
    precision = safe.ratio(found, found + ops.cumsum(negatives, axis=-1), when_empty=0.0)
    value = safe.ratio(ops.sum(positives * precision, axis=-1), total, when_empty=math.nan)
    return ops.where(spoiled, math.nan, value)


def tied_share(histogram: Tensor) -> Tensor:
    """The share of (positive, negative) pairs that fall into one bin: the area under the ROC curve is right to half of it."""
    negatives, positives = _shares(histogram)
    return ops.sum(negatives * positives, axis=-1)


def _shares(histogram):
    """Negatives and positives as shares of their sums, (..., bins); NaN where there are none or a score was NaN."""
    spoiled = ops.any(histogram[..., -1:] > 0, axis=-2)
    shares = safe.ratio(histogram[..., :-1], ops.sum(histogram[..., :-1], axis=-1, keepdims=True), when_empty=math.nan)
    shares = ops.where(ops.expand_dims(spoiled, -1), math.nan, shares)
    return shares[..., 0, :], shares[..., 1, :]


def _falling(x):
    return ops.flip(x, axis=-1)
