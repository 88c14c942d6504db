"""The distance of some voxels of an image to the nearest of others. NumPy in, NumPy out.

A distance transform answers for every voxel; surfaces need only the answers on the other surface, which are few and mostly
near. So the first axis is swept (a few vector operations per plane), and each voxel looks for a better answer in the columns
around it, nearest columns first, until none can be better. If that takes long, the distance transform takes over.
"""

import itertools
from collections.abc import Sequence

import edt
import numpy as np

_FAR = 2**14  # more steps than any column has


def distances_to_nearest(elements: np.ndarray, others: np.ndarray, spacing: Sequence[float], threads: int = 1) -> np.ndarray:
    """The distance of each True in `elements` to the nearest True in `others`, infinite if there is none.

    Args:
        elements, others: boolean arrays of one shape, of rank 2 or 3.
        spacing: voxel size along each axis.
        threads: threads of the distance transform.

    Returns:
        float64, in the order of `elements.nonzero()`.
    """
    if not others.any():
        return np.full(np.count_nonzero(elements), np.inf)
    squared = _search(elements, others, np.float32(spacing)) if len(others) < _FAR else None
    if squared is None:
        squared = edt.edtsq((~others).view(np.uint8), anisotropy=tuple(spacing), black_border=False, parallel=threads)[
            elements
        ]
    return np.sqrt(squared, dtype="float64")


def _search(elements, others, spacing):
    """Squared distances, or None if the distance transform is faster."""
    columns = _along_columns(others, spacing[0]).reshape(-1)
    at = [index.astype(np.intp) for index in elements.nonzero()]
    sizes = elements.shape
    best = columns[np.ravel_multi_index(at, sizes)]
    squared, indices = best.copy(), np.arange(len(best))
    # A transform costs about as much as looking four times at each voxel; a step has a price of its own.
    budget = 4 * elements.size + 100_000
    steps, lengths = _steps(sizes[1:], spacing[1:], best.max(initial=0))
    last = 0.0
    for step, length in zip(steps, lengths):
        if length > last:
            last = length
            better = best > length
            if not better.all():
                squared[indices[~better]] = best[~better]
                indices, best, at = indices[better], best[better], [index[better] for index in at]
            if not len(best):
                return squared
        budget -= 2000 + len(best) * 2 ** np.count_nonzero(step)
        if budget < 0:
            return None
        # A step over the rim is cut short there: farther than it counts, so it is never too good.
        sides = [
            [np.minimum(index + k, size - 1), np.maximum(index - k, 0)] if k else [index]
            for index, k, size in zip(at[1:], step, sizes[1:])
        ]
        for place in itertools.product(*sides):
            flat = at[0]
            for index, size in zip(place, sizes[1:]):
                flat = flat * size + index
            np.minimum(best, columns[flat] + length, out=best)
    squared[indices] = best
    return squared


def _along_columns(others, size):
    """The squared distance to the nearest True in the same column, along the first axis, as float32."""
    steps = np.empty(others.shape, np.int16)
    steps[0] = np.where(others[0], 0, _FAR)
    for i in range(1, len(others)):
        np.add(steps[i - 1], 1, out=steps[i])
        steps[i] *= ~others[i]
    for i in range(len(others) - 2, -1, -1):
        np.minimum(steps[i], steps[i + 1] + np.int16(1), out=steps[i])
    squared = np.square(steps * size, dtype="float32")
    squared[steps >= _FAR] = np.inf
    return squared


def _steps(sizes, spacing, farthest):
    """Non-negative steps along the axes that are not longer than sqrt(farthest), shortest first, and their squared lengths."""
    reach = [int(min(size - 1, np.sqrt(farthest) / s)) for size, s in zip(sizes, spacing)]
    steps = np.indices([r + 1 for r in reach]).reshape(len(reach), -1).T
    lengths = np.square(steps * spacing, dtype="float32").sum(axis=1, dtype="float32")
    order = np.argsort(lengths, kind="stable")[1:]
    return steps[order].tolist(), lengths[order]
