"""The Lovasz extension of the Jaccard loss: a convex, piecewise linear function of the error of each pixel."""

from keras import ops

from kerasmith.numerics import safe, sorting


def lovasz_jaccard(errors, truth, weight=None):
    """Lovasz extension of 1 - |intersection| / |union| along the last axis, (..., N) -> (...).

    value = sum_k e_k (J_k - J_{k-1}), errors sorted to fall, J_k the Jaccard loss if the first k pixels are wrong

    The differences are written as w ((1 - y) I_k + y U_k) / (U_{k-1} U_k): subtracting two numbers close to 1 would leave
    noise of float32 that is as large as the share of one pixel in a large image.

    Args:
        errors: >= 0, (..., N).
        truth: labels 0 to 1 in the shape of `errors`; without any label the value is the largest error.
        weight: None, or >= 0 in that shape; a pixel of weight 0 counts as deleted.
    """
    order = sorting.argsort(-errors)
    ones = sorting.take(truth if weight is None else truth * weight, order)
    total = ones if weight is None else sorting.take(weight, order)
    zeros = (1.0 - ones) if weight is None else total - ones
    positives = ops.sum(ones, axis=-1, keepdims=True)
    intersection = ops.relu(positives - ops.cumsum(ones, axis=-1))
    union = positives + ops.cumsum(zeros, axis=-1)
    before = union - zeros
    share = safe.ratio(zeros * intersection + ones * union, before * union, when_empty=0.0)
    # Where nothing is labelled, the first pixel that counts makes the union, and the loss, full.
    first = (before <= 0) & (zeros > 0)
    slope = ops.stop_gradient(ops.where(first, ops.ones_like(share), share))
    return ops.sum(sorting.take(errors, order) * slope, axis=-1)
