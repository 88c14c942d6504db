"""Region statistics: three sums per image and class, and the Tversky index made of them."""

from typing import Any, NamedTuple

from kerasmith.numerics import safe
from kerasmith.numerics.pixel_sums import inner_and_sums


class RegionSums(NamedTuple):
    """Sums over the pixels of each image, (B, C) each: sum(p * y), sum(p) and sum(y), pixel weights inside."""

    intersection: Any
    predicted: Any
    actual: Any


def region_sums(pixels, predictions=None):
    """The three sums of a batch.

    The gradient is w * (A y + B) with two numbers per image and class, so no array beyond it is ever needed.

    Args:
        pixels: a `Pixels` record.
        predictions: what to count instead of the probabilities, e.g. hard decisions, in the layout of `pixels.scores`.
    """
    p = pixels.probabilities if predictions is None else predictions
    y, p_weighted, y_weighted = pixels.truth, p, pixels.truth
    if pixels.weight is not None:
        weight = pixels.per_class(pixels.weight)
        p_weighted, y_weighted = p * weight, y * weight
    return RegionSums(*inner_and_sums(p_weighted, y, y_weighted, pixels.class_axis))


def tversky_index(sums, alpha, beta, smooth):
    """(I + s) / (I + alpha FP + beta FN + s), with FP = sum(p) - I and FN = sum(y) - I; 1 where it would be 0 / 0.

    alpha = beta = 1/2 is the Dice coefficient, alpha = beta = 1 the Jaccard index.
    """
    i, p, y = sums
    denominator = (1.0 - alpha - beta) * i + alpha * p + beta * y + smooth
    return safe.ratio(i + smooth, denominator, when_empty=1.0)
