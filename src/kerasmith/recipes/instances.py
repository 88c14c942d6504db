"""Objects that touch: what a network learns to keep them apart, and how its answer becomes single objects."""

import cc3d
import edt
import numpy as np

MIN_CORE = 8
"""Pixels of the smallest core that makes an object."""

# Orders in which growing regions claim pixels: from above, below, left and right.
_NEIGHBOURS = (
    (slice(0, -2), slice(1, -1)),
    (slice(2, None), slice(1, -1)),
    (slice(1, -1), slice(0, -2)),
    (slice(1, -1), slice(2, None)),
)


def cores_of(labels, *, fraction=0.6, depth=4.0):
    """The inner parts of objects, which do not touch each other even where the objects do.

    core = {pixels further from the edge of their object than min(depth, fraction * its largest such distance)}

    Args:
        labels: (H, W) integer labels, background 0.
        fraction: in [0, 1), so that small objects keep a core.
        depth: in pixels; what large objects lose at their edge.

    Returns:
        (H, W) booleans.

    Example:

    >>> cores_of(np.array([[1, 1, 1, 2, 2, 2]]), fraction=0.6).astype(int)
    array([[1, 1, 0, 0, 1, 1]])
    """
    labels = np.ascontiguousarray(labels, dtype=np.uint32)
    # The image border is no edge of an object that goes on beyond it.
    distance = edt.edt(labels, black_border=False)
    largest = np.zeros(int(labels.max(initial=0)) + 1, np.float32)
    np.maximum.at(largest, labels, distance)
    return (labels > 0) & (distance > np.minimum(depth, fraction * largest)[labels])


def split_instances(mask, cores, *, threshold=0.5, min_core=MIN_CORE, min_object=30, levels=8):
    """Single objects from the mask of all objects and the probabilities of cores.

    Each connected core is the seed of one object. Seeds grow inside the mask, over pixels of high core probability first, so
    two fronts meet where the core probability is lowest: a watershed in a few levels. A piece of mask that no seed reaches is
    an object of its own if it is large enough.

    Args:
        mask: (H, W) booleans.
        cores: (H, W) probabilities.
        threshold: a pixel is core above it.
        min_core: smaller cores are dropped, in pixels.
        min_object: smaller pieces of mask without a core are dropped, in pixels.
        levels: number of steps of core probability.

    Returns:
        (H, W) int32 labels 1..n, background 0.

    Example:

    >>> mask = np.ones((1, 7), bool)
    >>> cores = np.array([[0.9, 0.9, 0.4, 0.1, 0.3, 0.9, 0.9]])
    >>> split_instances(mask, cores, min_core=1)
    array([[1, 1, 1, 1, 2, 2, 2]], dtype=int32)
    """
    inside = np.asarray(mask, bool)
    seeds = _components(inside & (np.asarray(cores) > threshold), min_core)
    labels = seeds
    for level in np.append(np.linspace(threshold, 0, levels, endpoint=False), -np.inf):
        labels = _grow(labels, inside & (cores >= level))
    rest = _components(inside & (labels == 0), min_object)
    return np.where(rest > 0, rest + labels.max(initial=0), labels)


def _components(mask, min_size):
    """Connected components (4 neighbours) of at least `min_size` pixels, numbered from 1 without gaps."""
    found = cc3d.connected_components(mask, connectivity=4).astype(np.int32)
    keep = np.bincount(found.ravel()) >= min_size
    keep[0] = False
    return np.where(keep, np.cumsum(keep), 0).astype(np.int32)[found]


def _grow(labels, allowed):
    """`labels` spread over `allowed`, one pixel at a time, until nothing changes."""
    free = allowed & (labels == 0)
    while True:
        around = np.pad(labels, 1)
        claimed = np.zeros_like(labels)
        for neighbour in _NEIGHBOURS:
            claimed = np.where(claimed == 0, around[neighbour], claimed)
        claimed = np.where(free, claimed, 0)
        if not claimed.any():
            return labels
        labels = labels + claimed
        free &= claimed == 0
