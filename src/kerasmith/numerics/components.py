"""Connected components of masks, and how two sets of objects overlap. NumPy in, NumPy out."""

from typing import NamedTuple

import cc3d
import numpy as np

# Neighbours of a pixel -> along how many axes at once a neighbour may differ.
CONNECTIVITIES = {1: {2: 1}, 2: {4: 1, 8: 2}, 3: {6: 1, 18: 2, 26: 3}}


def connectivity_order(connectivity, dimensions):
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


def label_objects(mask, connectivity=None, min_size=0):
    """Numbers the connected components of one mask.

    Args:
        mask: boolean, 1-D to 3-D.
        connectivity: neighbours of a pixel: 4 or 8 in 2-D, 6, 18 or 26 in 3-D; None for the largest.
        min_size: components of fewer pixels are dropped.

    Returns:
        Labels in the shape of `mask`, 0 for background and 1, 2, ... in the order of each component's first pixel; and
        their number.
    """
    order = connectivity_order(connectivity, mask.ndim)
    image = np.ascontiguousarray(mask, "uint8")
    if image.size == 0:
        return np.zeros(mask.shape, "int64"), 0
    if image.ndim == 1:
        image = image[None]
    neighbours = {2: (4, 8), 3: (6, 18, 26)}[image.ndim][max(order, image.ndim - 1 if mask.ndim == 1 else order) - 1]
    labels, count = cc3d.connected_components(image, connectivity=neighbours, return_N=True)
    labels = labels.reshape(mask.shape)
    if min_size > 1 and count:
        kept = np.bincount(labels.ravel(), minlength=count + 1) >= min_size
        kept[0] = False
        labels, count = (np.cumsum(kept) * kept)[labels], int(kept.sum())
    return labels, int(count)


class Overlaps(NamedTuple):
    """All pairs of objects that share a pixel: indices from 0 of the first and second object, and their IoU."""

    first: np.ndarray
    second: np.ndarray
    iou: np.ndarray


def overlaps(labels_a, labels_b):
    """The pairs of objects of two label images that share a pixel, in the order of their labels."""
    both = (labels_a > 0) & (labels_b > 0)
    width = int(labels_b.max(initial=0)) + 1
    keys, shared = np.unique(labels_a[both].astype("int64") * width + labels_b[both], return_counts=True)
    first, second = np.divmod(keys, width)
    size_a = np.bincount(labels_a.ravel(), minlength=1)
    size_b = np.bincount(labels_b.ravel(), minlength=1)
    return Overlaps(first - 1, second - 1, shared / (size_a[first] + size_b[second] - shared))
