"""Which scores are the k largest, equal ones in the order of their index."""

from keras import ops

from kerasmith._types import Tensor


def among_largest(scores: Tensor, k: int, axis: int) -> Tensor:
    """Booleans in the shape of `scores`: the k largest along `axis`; of equal scores the first, as `argmax` takes.

    >>> from keras import ops
    >>> ops.convert_to_numpy(among_largest(ops.array([[0.2, 0.4, 0.2, 0.2]]), 2, -1)).tolist()
    [[True, True, False, False]]
    """
    # Not the indices of `top_k`: on PyTorch any of equal scores may come first.
    last = ops.moveaxis(scores, axis, -1)
    least = ops.top_k(last, k)[0][..., -1:]
    above, equal = last > least, ops.equal(last, least)
    places = k - ops.sum(ops.cast(above, "int32"), axis=-1, keepdims=True)
    first = ops.logical_and(equal, ops.cumsum(ops.cast(equal, "int32"), axis=-1) <= places)
    return ops.moveaxis(ops.logical_or(above, first), -1, axis)
