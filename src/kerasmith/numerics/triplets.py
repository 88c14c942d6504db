"""Triplet losses of each anchor under a mining rule, in O(B^2) memory.

The rules take (B, B) distances, `Pairs` and a margin, and return (B,) losses: the mean over the triplets that the rule
chooses for the anchor, 0 for an anchor without one. A triplet costs max(0, d_ap - d_an + margin), or with the margin "soft"
log(1 + exp(d_ap - d_an)); only "soft" over all triplets makes a list of them.
"""

import keras
import numpy as np
from keras import ops

from kerasmith._types import Tensor
from kerasmith.numerics import sorting
from kerasmith.numerics.pairs import Pairs, counts, row_mean

_FAR = 1e30


def hardest(distance: Tensor, pairs: Pairs) -> tuple[Tensor, Tensor]:
    """The index of the farthest positive and of the nearest negative of each anchor, (B,) and (B,)."""
    farthest = ops.argmax(ops.where(pairs.positive, distance, -_FAR), axis=-1)
    return farthest, ops.argmin(ops.where(pairs.negative, distance, _FAR), axis=-1)


def semi_hard(distance: Tensor, pairs: Pairs, margin: float | str) -> Tensor:
    """One triplet a positive: the nearest negative that is farther away than the positive; without one, the farthest."""
    fixed = ops.stop_gradient(distance)
    # Farther means by more than rounding; so negatives at the very distance of a positive sort before it.
    precision = float(np.finfo(keras.backend.standardize_dtype(distance.dtype)).eps)
    order, positive, negative = _sorted(fixed, fixed + precision * ops.abs(fixed) + 1e-30, pairs)
    nearer = ops.cumsum(ops.cast(negative, "int32"), axis=-1)
    last = nearer[:, -1:] - 1
    by_distance = sorting.argsort(ops.where(pairs.negative, fixed, _FAR))
    choice = sorting.take(by_distance, ops.maximum(ops.minimum(nearer, last), 0))
    near, far = (sorting.take(distance, chosen) for chosen in (order, choice))
    losses = ops.softplus(near - far) if margin == "soft" else ops.relu(near - far + margin)
    return row_mean(losses, ops.logical_and(positive, last >= 0))


def every(distance: Tensor, pairs: Pairs, margin: float | str) -> Tensor:
    """All triplets of the anchor."""
    if margin == "soft":
        triplets = ops.logical_and(pairs.positive[:, :, None], pairs.negative[:, None, :])
        losses = ops.softplus(distance[:, :, None] - distance[:, None, :])
        total = ops.sum(ops.where(triplets, losses, ops.zeros_like(losses)), axis=(1, 2))
    else:
        total, _ = _sum_of_active(distance, pairs, margin)
    number = counts(pairs.positive, distance.dtype) * counts(pairs.negative, distance.dtype)
    return total / ops.maximum(number, 1.0)


def active(distance: Tensor, pairs: Pairs, margin: float) -> Tensor:
    """The triplets of the anchor that violate the margin, those with a loss above 0."""
    total, number = _sum_of_active(distance, pairs, margin)
    return total / ops.maximum(number, 1.0)


def _sum_of_active(distance, pairs, margin):
    """Sum of the losses of all triplets of each anchor, and how many are above 0.

    A triplet is active if its negative is nearer than positive + margin. So d_ap enters once for each negative below that
    bound, and d_an leaves once for each positive whose bound is above it. Counting needs one sort; the sum is then linear in
    the distances, with whole numbers as coefficients.
    """
    fixed, dtype = ops.stop_gradient(distance), distance.dtype
    order, positive, negative = _sorted(fixed, fixed + margin, pairs)
    positive, negative = ops.cast(positive, dtype), ops.cast(negative, dtype)
    below = ops.cumsum(negative, axis=-1)
    position = ops.arange(1, ops.shape(fixed)[1] + 1, dtype=dtype)
    above = ops.sum(positive, axis=-1, keepdims=True) - (position - below)
    entering = positive * below
    number = ops.sum(entering, axis=-1)
    near_and_far = sorting.take(distance, order)
    return ops.sum((entering - negative * above) * near_and_far, axis=-1) + margin * number, number


def _sorted(distance, bound, pairs):
    """The order of each row, negatives at their distance, positives at their bound, the rest behind; and both masks in it."""
    positive, negative = pairs
    order = sorting.argsort(ops.where(positive, bound, ops.where(negative, distance, _FAR)))
    kind = sorting.take(ops.cast(positive, "int32") - ops.cast(negative, "int32"), order)
    return order, kind > 0, kind < 0
