"""Maps of the distance to the border of each class, made once for each label image."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasmith.base.keywords import explain_keywords
from kerasmith.objects.distance_maps import signed_distances


@explain_keywords
def signed_distance_maps(
    y_true: Any, classes: int | None = None, *, spacing: float | Sequence[float] | None = None
) -> np.ndarray:
    """Signed Euclidean distance to the border of each class, negative inside: y_true for `losses.Boundary(maps=True)`.

    Distances go to the nearest pixel of the other kind: -1 and 1 (times the spacing) on the two sides of a border. A class
    that no pixel or every pixel of an image has, has no border: its map is 0.

    Args:
        y_true: masks or one-hot labels (B, *spatial, C); with `classes`, ids (B, *spatial). 1-D to 3-D images.
        classes: the number of classes of ids; other ids, such as 255 for "ignore", belong to no class.
        spacing: size of a pixel along each spatial axis, one number for all, or None for 1.

    Returns:
        float32 (B, *spatial, C), in pixels or in the unit of `spacing`.

    Raises:
        ValueError: for a `spacing` with another number of axes, or images of other dimensions.

    Example:

    >>> signed_distance_maps([[0, 0, 1, 1]], classes=2)[0, :, 1].tolist()
    [2.0, 1.0, -1.0, -2.0]
    """
    y_true = np.asarray(y_true)
    if classes is None:
        masks = np.moveaxis(y_true > 0.5, -1, 1)
    else:
        masks = np.stack([y_true == number for number in range(classes)], axis=1)
    flat = signed_distances(masks.reshape(-1, *masks.shape[2:]), spacing)
    return np.moveaxis(flat.reshape(masks.shape), 1, -1)
