"""Objects that touch: what a network learns to keep them apart, and how its answer becomes single objects."""

import edt
import numpy as np

from kerasmith.objects.components import label_objects

MIN_CORE = 8
"""Pixels of the smallest core that makes an object."""


def cores_of(labels: np.ndarray, *, fraction: float = 0.6, depth: float = 4.0) -> np.ndarray:
    """The inner parts of objects, which do not touch each other even where the objects do.

    core = {pixels further from the edge of their object than min(depth, fraction * its largest such distance)}

    Args:
        labels: (H, W) or (D, H, W) integer labels, background 0.
        fraction: in [0, 1), so that small objects keep a core.
        depth: in pixels; what large objects lose at their edge.

    Returns:
        Booleans in the shape of `labels`.

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


def split_instances(
    mask: np.ndarray, cores: np.ndarray, *, threshold: float = 0.5, min_core: int = MIN_CORE, min_object: int = 30
) -> np.ndarray:
    """Single objects from the mask of all objects and the probabilities of cores.

    Each connected core is the seed of one object. A watershed lets the seeds grow inside the mask, over pixels of high core
    probability first, so that two fronts meet where it is lowest. A piece of mask that no seed reaches is an object of its own
    if it is large enough.

    Args:
        mask: (H, W) or (D, H, W) booleans.
        cores: probabilities in the shape of `mask`.
        threshold: a pixel is core above it.
        min_core: smaller cores are dropped, in pixels.
        min_object: smaller pieces of mask without a core are dropped, in pixels.

    Returns:
        int32 labels 1..n in the shape of `mask`, background 0.

    Example:

    >>> mask = np.ones((1, 7), bool)
    >>> cores = np.array([[0.9, 0.9, 0.4, 0.1, 0.3, 0.9, 0.9]])
    >>> split_instances(mask, cores, min_core=1)
    array([[1, 1, 1, 1, 2, 2, 2]], dtype=int32)
    """
    from skimage.segmentation import watershed  # comes with the demo extra

    inside, cores = np.asarray(mask, bool), np.asarray(cores)
    labels = watershed(-cores, _components(inside & (cores > threshold), min_core), mask=inside, connectivity=1)
    rest = _components(inside & (labels == 0), min_object)
    return np.where(rest > 0, rest + labels.max(initial=0), labels).astype(np.int32)


def _components(mask: np.ndarray, min_size: int) -> np.ndarray:
    """Connected components (4 neighbours, 6 in 3-D) of at least `min_size` pixels, numbered from 1 without gaps."""
    return label_objects(mask, connectivity=2 * mask.ndim, min_size=min_size)[0].astype(np.int32)
