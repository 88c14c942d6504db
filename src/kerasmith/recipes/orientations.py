"""Predictions averaged over the eight orientations of an image."""

from collections.abc import Callable
from typing import Any

import numpy as np


def predict_oriented(predict: Callable[[np.ndarray], dict[str, Any]], image: np.ndarray) -> dict[str, np.ndarray]:
    """The mean prediction for an image seen turned by quarters and mirrored, turned back.

    A microscope slide has no up; the errors that depend on the orientation cancel.

    Args:
        predict: takes images (4, H, W, 1) and gives {name: (4, H, W, 1)}; called with (4, H, W, 1) and with (4, W, H, 1).
        image: (H, W).

    Returns:
        {name: (H, W) array}.

    Example:

    >>> image = np.arange(6.0).reshape(2, 3)
    >>> bool(np.allclose(predict_oriented(lambda x: {"same": x}, image)["same"], image))
    True
    """
    total = {}
    for turned in (False, True):
        seen = image.T if turned else image
        batch = np.stack([seen[::rows, ::columns] for rows, columns in _MIRRORS])[..., None]
        for name, values in predict(batch).items():
            mean = np.mean([v[::r, ::c] for v, (r, c) in zip(np.asarray(values)[..., 0], _MIRRORS, strict=True)], axis=0)
            total[name] = total.get(name, 0) + (mean.T if turned else mean) / 2
    return total


_MIRRORS = ((1, 1), (1, -1), (-1, 1), (-1, -1))
