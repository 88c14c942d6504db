"""Probabilities as the mask of an image."""

from collections.abc import Sequence

import numpy as np

from kerasmith.recipes.instances import split_instances


def decode(probabilities: np.ndarray, outputs: str, threshold: float = 0.5) -> np.ndarray:
    """The class of each pixel, or the object that it belongs to.

    Args:
        probabilities: (*spatial, K). "sigmoid": of each class but the background. "softmax": of each class. "instances": of an
            object, and of the inner part of one.
        outputs: which of the three.
        threshold: a pixel is foreground above it; "softmax" takes the likeliest class instead.

    Returns:
        Integers (*spatial), 0 for the background.

    Example:

    >>> decode(np.array([[0.2], [0.7]]), "sigmoid"), decode(np.array([[0.2, 0.7, 0.1]]), "softmax")
    (array([0, 1]), array([1]))
    """
    if outputs == "softmax":
        return probabilities.argmax(axis=-1)
    if outputs == "instances":
        return split_instances(probabilities[..., 0] > threshold, probabilities[..., 1])
    best = probabilities.argmax(axis=-1)
    return np.where(probabilities.max(axis=-1) > threshold, best + 1, 0)


def with_ids(classes: np.ndarray, ids: Sequence[int]) -> np.ndarray:
    """The ids of a data set in place of the classes 0, 1, 2, ..."""
    return classes if tuple(ids) == tuple(range(len(ids))) else np.asarray(ids)[classes]
