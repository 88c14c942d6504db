"""Region statistics: three sums per image and class, and the Tversky index made of them."""

from typing import Any, NamedTuple

from keras import ops

from kerasmith.numerics import safe


class RegionSums(NamedTuple):
    """Sums over the pixels of each image, (B, C) each: sum(p * y), sum(p) and sum(y), pixel weights inside."""

    intersection: Any
    predicted: Any
    actual: Any


def region_sums(pixels, predictions=None):
    """The three sums of a batch.

    Three plain reductions, left to automatic differentiation: the gradient is w * (A y + B) with two numbers per
    image and class, so no array beyond it is ever needed.

    Args:
        pixels: a `Pixels` record.
        predictions: what to count instead of the probabilities, e.g. hard decisions, in the layout of `pixels.scores`.
    """
    p = pixels.probabilities if predictions is None else predictions
    y, axis = pixels.truth, pixels.pixel_axis
    if pixels.weight is not None:
        weight = pixels.per_class(pixels.weight)
        p_weighted, y_weighted = p * weight, y * weight
    else:
        p_weighted, y_weighted = p, y
    sums = (
        _inner(p_weighted, y, axis),
        ops.sum(p_weighted, axis=axis),
        ops.sum(y_weighted, axis=axis),
    )
    return RegionSums(*(ops.expand_dims(s, -1) for s in sums) if pixels.class_axis is None else sums)


def _inner(a, b, axis):
    return ops.sum(a * b, axis=axis)


def tversky_index(sums, alpha, beta, smooth):
    """(I + s) / (I + alpha FP + beta FN + s), with FP = sum(p) - I and FN = sum(y) - I; 1 where it would be 0 / 0.

    alpha = beta = 1/2 is the Dice coefficient, alpha = beta = 1 the Jaccard index.
    """
    i, p, y = sums
    denominator = (1.0 - alpha - beta) * i + alpha * p + beta * y + smooth
    return safe.ratio(i + smooth, denominator, when_empty=1.0)
