"""Objects that another mask does not cover: missed or invented ones."""

import numpy as np

from kerasmith.objects.components import label_objects, renumber_objects


def uncovered(labels: np.ndarray, other: np.ndarray, share: float = 0.5) -> np.ndarray:
    """The pixels of objects of which `other` covers less than a share.

    Args:
        labels: (H, W) booleans, whose connected pieces are the objects, or integer labels with background 0; a single label
            is a mask.
        other: (H, W), what is not 0 covers.
        share: of the pixels of an object.

    >>> uncovered(np.array([[1, 1, 0, 2, 2]]), np.array([[0, 3, 0, 0, 0]])).astype(int)
    array([[0, 0, 0, 1, 1]])
    """
    objects, count = renumber_objects(labels.astype(np.int64) * (labels > 0))
    if count <= 1:
        objects, count = label_objects(labels > 0)
    sizes = np.bincount(objects.ravel(), minlength=count + 1)
    covered = np.bincount(objects[np.asarray(other) != 0].ravel(), minlength=count + 1)
    alone = covered < share * sizes
    alone[0] = False
    return alone[objects]
