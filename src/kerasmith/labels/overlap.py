"""Region statistics: three sums per image and class, as fast as each backend allows, and the Tversky index made of them."""

import functools
from typing import NamedTuple, Self

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.labels.pixels import Pixels
from kerasmith.numerics import safe
from kerasmith.numerics.tensors import static_shape


class _RegionSums(NamedTuple):
    intersection: Tensor
    predicted: Tensor
    actual: Tensor


class RegionSums(_RegionSums):
    """Sums over the pixels of each image, (B, C) each: sum(p * y), sum(p) and sum(y), pixel weights inside.

    Attributes:
        known: None, or (B, C): 0 for a channel of which an image has no label at all.
    """

    known: Tensor | None = None

    def with_known(self, known: Tensor | None) -> Self:
        """These sums, and which channels are known."""
        self.known = known
        return self


def region_sums(pixels: Pixels, predictions: Tensor | None = None, *, soft_labels: bool = False) -> RegionSums:
    """The three sums of a batch.

    Three plain reductions, left to automatic differentiation: the gradient is w (A y + B) with two numbers per image and
    class, so no array beyond it is ever needed.

    Args:
        pixels: a `Pixels` record.
        predictions: what to count instead of the probabilities, e.g. hard decisions, in the layout of `pixels.scores`.
        soft_labels: take sum(min(p, y)) for the intersection.
    """
    p = pixels.probabilities if predictions is None else predictions
    y, p_weighted, y_weighted = pixels.truth, p, pixels.truth
    if pixels.weight is not None:
        weight = pixels.per_class(pixels.weight)
        p_weighted, y_weighted = p * weight, y * weight
    (p_weighted, y_weighted, y), total = _laid_out((p_weighted, y_weighted, y), pixels.class_axis)
    mark = pixels.marked if predictions is None else lambda values: values
    if not soft_labels:
        # The sum of p first: PyTorch's gradients come in reverse, and the constant one is then added to that of the product in
        # place. The other way round it is read from and written to memory once more.
        predicted = total(p_weighted)
        sums = RegionSums(total(mark(p_weighted * y)), predicted, total(y_weighted))
        return _settled(sums, pixels)
    # By what is too much and too little, whose slopes are 0 at p = y on every backend: so is that of any loss.
    over, under = ops.relu(p_weighted - y_weighted), ops.relu(y_weighted - p_weighted)
    over, under, actual = total(over), total(mark(under)), total(y_weighted)
    return _settled(RegionSums(actual - under, actual - under + over, actual), pixels)


def _settled(sums, pixels):
    """The sums with what is known of their channels; a doubt about labels is settled by the intersection, if it was marked."""
    if pixels.doubt is not None and pixels.doubt.is_marked:
        pixels.doubt.settle_by_sum(sums.intersection)
    return sums.with_known(pixels.known_classes)


def tversky_index(sums: RegionSums, alpha: float, beta: float, smooth: float) -> Tensor:
    """(I + s) / (I + alpha FP + beta FN + s), with FP = sum(p) - I and FN = sum(y) - I; 1 where it would be 0 / 0.

    alpha = beta = 1/2 is the Dice coefficient, alpha = beta = 1 the Jaccard index.
    """
    i, p, y = sums
    # On a small batch each operation of PyTorch counts, not the pixels.
    denominator = (p + y) * alpha + smooth if alpha == beta else alpha * p + beta * y + smooth
    if alpha + beta != 1.0:
        denominator = denominator + (1.0 - alpha - beta) * i
    if smooth > _NEVER_EMPTY:
        return (i + smooth) / denominator
    return safe.ratio(i + smooth, denominator, when_empty=1.0)


def tversky_loss(sums: RegionSums, alpha: float, beta: float, smooth: float) -> Tensor:
    """1 - `tversky_index`, as E / (E + I + s) with E = alpha FP + beta FN: nothing is lost where the two are nearly equal."""
    i, p, y = sums
    twice = p + y if alpha == beta else None
    if alpha == beta == 0.5:
        # E, I and s doubled: without a factor, which PyTorch makes a tensor of, and again for the gradient.
        errors, whole, smooth = twice - (i + i), twice, 2.0 * smooth
    else:
        errors = alpha * (p - i) + beta * (y - i) if twice is None else alpha * (twice - (i + i))
        whole = errors + i
    if smooth > _NEVER_EMPTY:
        return errors / (whole + smooth)
    return safe.ratio(errors, whole + smooth, when_empty=0.0)


# From here on `smooth` is more than nothing in float32.
_NEVER_EMPTY = 1e-30


def _laid_out(arrays, class_axis):
    """Arrays in the layout of scores, brought to the one that is summed fastest, and the sum over its pixels, to (B, C).

    PyTorch gets rows of 16 pixels as in `_sum_of_rows`, but before p and y meet: a sum of rows that were made behind the
    product copies its gradient, as large as the batch, to bring it back to pixels. On small images the calls cost more.
    """
    if class_axis != 2 or keras.backend.backend() != "torch" or not all(x.is_contiguous() for x in arrays):
        return arrays, functools.partial(over_pixels, class_axis=class_axis)
    _, pixels, channels = static_shape(arrays[0], "pixels")
    row = _largest_divisor(pixels, 16) if pixels and pixels > _FEW_PIXELS else 1
    if row == 1:
        return arrays, lambda x: x.sum(1)
    rows = [x.view(-1, pixels // row, row * channels) for x in arrays]
    return rows, lambda x: x.sum(1, keepdim=True).view(-1, row, channels).sum(1)


_FEW_PIXELS = 64**2


def over_pixels(x: Tensor, class_axis: int | None) -> Tensor:
    """The sum over the pixels of values in the layout of scores, (B, C); C = 1 if `class_axis` is None."""
    if class_axis is None:
        return ops.sum(x, axis=1, keepdims=True)
    return ops.sum(x, axis=2) if class_axis == 1 else _sum_of_rows(x)


def _sum_of_rows(x):
    """(B, N, C) -> (B, C).

    A sum over the middle axis works on C numbers at a time. Rows of 16 pixels, (B, N / 16, 16 C), make the vectors long; JAX
    also needs blocks of rows, (B, K, R, 16 C): its XLA walks through all of memory once for each number of a row.
    """
    _, pixels, channels = static_shape(x, "pixels")
    backend = keras.backend.backend()
    row = _largest_divisor(pixels, 16) if pixels else 1
    if row == 1 or (backend == "torch" and not x.is_contiguous()):
        return ops.sum(x, axis=1)
    if backend == "jax":
        rows = _largest_divisor(pixels // row, 64)
        x = ops.sum(ops.reshape(x, (-1, pixels // (row * rows), rows, row * channels)), axis=2)
        x = ops.sum(x, axis=1)
    else:
        x = ops.sum(ops.reshape(x, (-1, pixels // row, row * channels)), axis=1)
    return ops.sum(ops.reshape(x, (-1, row, channels)), axis=1)


@functools.lru_cache(maxsize=256)
def _largest_divisor(number, limit):
    return max(d for d in range(1, limit + 1) if number % d == 0)
