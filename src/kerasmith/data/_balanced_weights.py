"""Sampling weights under which every class is drawn equally often."""

from typing import Any

import numpy as np

from kerasmith.base.arguments import check_number
from kerasmith.base.keywords import explain_keywords


@explain_keywords
def balanced_weights(labels: Any, power: float = 1.0) -> np.ndarray:
    """One weight per sample, for `WeightedBatches(weights=...)`, that draws rare classes more often.

    w_i = n_c ** -power for a sample of class c, scaled to the mean 1; n_c is the number of samples of the class

    With power 1 every class is drawn equally often; with 0.5 as often as the root of its size; with 0 as it occurs.
    These weights change how often a sample is seen. `losses.class_balanced_weights` gives one weight per class and changes how
    much a pixel or sample counts in the loss; using both corrects twice.

    Args:
        labels: (n,) or (n, 1) ids or names of classes, or (n, C) one-hot.
        power: 0 to 1; above 1 rare classes become the common ones.

    Returns:
        (n,) float64.

    Raises:
        ValueError: for no labels, another shape, several classes in a row of one-hot labels, ids that are no whole numbers.

    Example:

    >>> balanced_weights([0, 0, 0, 1]).round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    check_number("power", power, minimum=0)
    classes = _classes(np.asarray(labels))
    _, which, counts = np.unique(classes, return_inverse=True, return_counts=True)
    weights = (counts.astype("float64") ** -power)[which.reshape(-1)]
    return weights / weights.mean()


def _classes(labels):
    """(n,) labels of any of the accepted forms."""
    shape = labels.shape
    if labels.ndim == 2 and shape[1] == 1:
        labels = labels[:, 0]
    elif labels.ndim == 2 and shape[1] > 1:
        if not (np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()):
            raise ValueError("One-hot `labels` must have a single 1 in each row. For several classes a sample, choose one.")
        labels = labels.argmax(axis=1)
    if labels.ndim != 1 or not len(labels):
        raise ValueError(f"`labels` must be (n,) or (n, 1) classes, or (n, C) one-hot, n >= 1. Received: shape={shape}")
    if labels.dtype.kind == "f" and not (labels == np.floor(labels)).all():
        raise ValueError("`labels` must be classes; numbers among them whole ones.")
    return labels
