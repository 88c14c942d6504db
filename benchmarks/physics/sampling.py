"""Points of boxes, float32: the libraries get the same."""

import numpy as np
from scipy.stats import qmc


def inside(low, high, count, seed=0):
    """Latin hypercube points of a box."""
    points = qmc.LatinHypercube(len(low), seed=np.random.default_rng(seed)).random(count)
    return qmc.scale(points, low, high).astype("float32")


def side(low, high, axis, at, count):
    """Points on one side of a box, at equal distances along the other axis; one point where there is none."""
    if len(low) == 1:
        return np.full((1, 1), at, "float32")
    points = np.empty((count, len(low)))
    for k in range(len(low)):
        points[:, k] = at if k == axis else np.linspace(low[k], high[k], count)
    return points.astype("float32")


def sides(low, high, count, axes=None):
    """Points on both sides of each of the axes, all by default."""
    axes = range(len(low)) if axes is None else axes
    return np.concatenate([side(low, high, axis, end[axis], count) for axis in axes for end in (low, high)])


def grid(low, high, count):
    """All points of a grid, `count` along each axis."""
    lines = [np.linspace(a, b, count) for a, b in zip(low, high)]
    return np.stack(np.meshgrid(*lines, indexing="ij"), -1).reshape(-1, len(low)).astype("float32")
