"""Connected components of masks, and how two sets of objects overlap. NumPy in, NumPy out."""

from typing import Any, NamedTuple

import cc3d
import numpy as np

# Neighbours of a pixel -> along how many axes at once a neighbour may differ.
CONNECTIVITIES = {1: {2: 1}, 2: {4: 1, 8: 2}, 3: {6: 1, 18: 2, 26: 3}}


def connectivity_order(connectivity: int | None, dimensions: int) -> int:
    """Along how many axes at once neighbours may differ; `None` means all.

    Raises:
        ValueError: if images of this dimension have no such connectivity.
    """
    choices = CONNECTIVITIES.get(dimensions)
    if choices is None:
        raise ValueError(f"Objects are found in 1-D, 2-D and 3-D images. Received: {dimensions} spatial axes")
    if connectivity is None:
        return dimensions
    if connectivity not in choices:
        raise ValueError(
            f"`connectivity` of {dimensions}-D images must be None or one of {', '.join(map(str, choices))}. "
            f"Received: connectivity={connectivity}"
        )
    return choices[connectivity]


def label_objects(mask: np.ndarray, connectivity: int | None = None, min_size: int = 0) -> tuple[np.ndarray, int]:
    """Numbers the connected components of one mask.

    Args:
        mask: boolean, 1-D to 3-D; every value but 0 is foreground.
        connectivity: neighbours of a pixel: 4 or 8 in 2-D, 6, 18 or 26 in 3-D; None for the largest.
        min_size: components of fewer pixels are dropped.

    Returns:
        Labels in the shape of `mask`, 0 for background and 1, 2, ... in the order of each component's first pixel; and
        their number.

    Raises:
        ValueError: if images of this dimension have no such connectivity.

    Example:

    >>> label_objects(np.array([[1, 0, 1], [0, 1, 0]], bool), connectivity=4)[1]
    3
    """
    mask = np.asarray(mask)
    order = connectivity_order(connectivity, mask.ndim)
    if mask.size == 0:
        return np.zeros(mask.shape, "int64"), 0
    # Not astype("uint8"), to which 256 and 0.5 are background; a copy, because JAX hands over read-only arrays.
    image = np.array(mask, bool, order="C").view("uint8")
    if mask.ndim == 1:
        image, neighbours = image[None], 4
    else:
        neighbours = next(n for n, axes in CONNECTIVITIES[mask.ndim].items() if axes == order)
    labels, count = cc3d.connected_components(image, connectivity=neighbours, return_N=True)
    labels = labels.reshape(mask.shape).astype("int64")
    if min_size > 1 and count:
        return renumber_objects(labels, min_size)
    return labels, int(count)


def surplus_pixels(masks: Any, keep: int | None = None, min_size: int = 0, connectivity: int | None = None) -> np.ndarray:
    """Where a mask breaks a rule on its components.

    Args:
        masks: boolean (N, *spatial).
        keep: how many components may be there, the largest, ties in the order of their first pixels; None for all.
        min_size: how many pixels each must have.
        connectivity: see `label_objects`.

    Returns:
        Boolean, in the shape of `masks`: pixels of components that are too many or too small.
    """
    surplus = np.zeros(masks.shape, bool)
    for mask, result in zip(masks, surplus):
        labels, count = label_objects(mask, connectivity)
        sizes = np.bincount(labels.ravel(), minlength=count + 1)
        offends = sizes < min_size
        if keep is not None:
            offends[np.argsort(-sizes[1:], kind="stable")[keep:] + 1] = True
        offends[0] = False
        result[...] = offends[labels]
    return surplus


def renumber_objects(labels: np.ndarray, min_size: int = 0) -> tuple[np.ndarray, int]:
    """Numbers the objects of an instance-label image 1, 2, ... in the order of their ids, which may have gaps.

    Pixels of one id are one object, whether they touch or not.

    Args:
        labels: integers >= 0 (0 is background), any shape.
        min_size: objects of fewer pixels are dropped.

    Returns:
        Labels in the same shape, int64; and their number.

    Raises:
        ValueError: for labels that are not integers, or negative.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise ValueError(
            f"Instance labels must be integers. Received: dtype={labels.dtype}. "
            "Write `labels.astype('int32')`, or pass a boolean mask to have its components found."
        )
    if labels.min(initial=0) < 0:
        raise ValueError(f"Instance labels must be 0 (background) or positive. Received: a label of {labels.min()}")
    if labels.max(initial=0) <= 4 * labels.size:  # a small table: counting beats sorting
        index = labels.astype("int64")
        sizes = np.bincount(index.ravel(), minlength=1)
        retained = sizes >= max(min_size, 1)
        retained[0] = False
    else:
        ids, index, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        retained = (ids > 0) & (sizes >= min_size)
    # Before numpy 2.1 the inverse may come flat.
    return (np.cumsum(retained) * retained)[index.reshape(labels.shape)], int(retained.sum())


class Overlaps(NamedTuple):
    """All pairs of objects that share a pixel: indices from 0 of the first and second object, and their IoU."""

    first: np.ndarray
    second: np.ndarray
    iou: np.ndarray


def overlaps(labels_a: np.ndarray, labels_b: np.ndarray) -> Overlaps:
    """The pairs of objects of two label images that share a pixel, in the order of their labels.

    IoU = shared / (size of a + size of b - shared). Only pairs that occur are held: memory grows with the pixels, not with
    the product of the numbers of objects.

    Args:
        labels_a, labels_b: of one shape, as `label_objects` returns them.

    Returns:
        `Overlaps`.
    """
    size_a, size_b = np.bincount(labels_a.ravel(), minlength=1), np.bincount(labels_b.ravel(), minlength=1)
    first, second, shared = shared_pixels(labels_a, labels_b, len(size_a), len(size_b))
    return Overlaps(first - 1, second - 1, shared / (size_a[first] + size_b[second] - shared))


def shared_pixels(
    labels_a: np.ndarray, labels_b: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pairs of labels above 0 that meet at a pixel, in their order, and at how many.

    Args:
        labels_a, labels_b: of one shape.
        height, width: bounds of the labels.

    Returns:
        Three arrays: labels of a, labels of b, numbers of pixels.
    """
    flat_a, flat_b = labels_a.ravel(), labels_b.ravel()
    both = np.flatnonzero((flat_a > 0) & (flat_b > 0))
    keys = flat_a[both] * width + flat_b[both]
    if height * width <= 4 * len(flat_a):  # a small table: counting beats sorting
        shared = np.bincount(keys)
        keys = np.flatnonzero(shared)
        shared = shared[keys]
    else:
        keys, shared = np.unique(keys, return_counts=True)
    return *np.divmod(keys, width), shared
