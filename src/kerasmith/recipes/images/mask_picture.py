"""A picture of an image with what was predicted on it."""

import numpy as np

from kerasmith.report.overlays import outline
from kerasmith.report.palette import LIGHT
from kerasmith.report.pixels import stretched

COLOURS = np.array(
    [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (LIGHT[1], LIGHT[5], LIGHT[4], LIGHT[2], LIGHT[3])]
)
"""Of classes and objects, which repeat after five; grey stays the colour of the image."""
FILL = 0.3


def mask_picture(image: np.ndarray, mask: np.ndarray, *, depth_axis: int = 0) -> np.ndarray:
    """The image with each class or object tinted and outlined; of a volume the slice with the most foreground.

    Args:
        image: (H, W, C) or (D, H, W, C); three channels are shown as colours, of others the first one in grey, stretched
            between two percentiles.
        mask: (H, W) or (D, H, W) ids, background 0.
        depth_axis: along which a volume is cut.

    Returns:
        uint8 (H, W, 3).

    Raises:
        ValueError: for shapes that do not fit together.

    Example:

    >>> mask_picture(np.zeros((4, 5, 8, 1)), np.zeros((4, 5, 8), int), depth_axis=2).shape
    (4, 5, 3)
    """
    image, mask = np.asarray(image), np.asarray(mask)
    if image.shape[:-1] != mask.shape:
        raise ValueError(f"The mask must have the size of the image, {image.shape[:-1]}. Received: shape={mask.shape}")
    if mask.ndim == 3:
        foreground = np.count_nonzero(mask, axis=tuple(axis for axis in range(3) if axis != depth_axis))
        # An empty prediction shows the middle.
        index = int(foreground.argmax()) if foreground.any() else len(foreground) // 2
        image, mask = np.take(image, index, axis=depth_axis), np.take(mask, index, axis=depth_axis)
    colour = image[..., :3] if image.shape[-1] in (3, 4) else image[..., :1]
    picture = stretched(colour).astype(float) * np.ones(3)
    colours = COLOURS[(mask.astype(np.int64) - 1) % len(COLOURS)]
    inside, line = (mask > 0)[..., None], outline(mask)[..., None]
    picture = np.where(inside, picture * (1 - FILL) + colours * FILL, picture)
    return np.where(line, colours, picture).round().astype(np.uint8)
