"""Linear systems of a few unknowns, solved where the tensors are: no library call that waits for the device or raises."""

from keras import ops

_SMALLEST_PIVOT = 1e-7


def solve(matrix, right):
    """X with `matrix` X = `right`, by Gauss-Jordan elimination; finite also where the matrix is singular to rounding.

    Args:
        matrix: (K, K), symmetric, positive definite, K small: the loop over the unknowns is unrolled.
        right: (K, R).

    Returns:
        (K, R). Such a matrix needs no exchange of rows; scaled to a diagonal of 1, a pivot is at most 1.
    """
    count = matrix.shape[0]
    unit = ops.eye(count, dtype=matrix.dtype)
    scale = ops.expand_dims(ops.rsqrt(ops.sum(matrix * unit, axis=-1)), -1)
    rows = ops.concatenate([matrix * scale * ops.transpose(scale), right * scale], axis=-1)
    for k in range(count):
        pivot = rows[k : k + 1] / ops.maximum(rows[k : k + 1, k : k + 1], _SMALLEST_PIVOT)
        rows = rows - (rows[:, k : k + 1] - unit[:, k : k + 1]) * pivot
    return rows[:, count:] * scale
