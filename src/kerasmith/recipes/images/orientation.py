"""How a camera was held, as EXIF and TIFF say it."""

import numpy as np

TAG = 0x0112
TURNED = range(5, 9)
"""The orientations that swap rows and columns."""
# (rows mirrored, columns mirrored), after the swap.
_MIRRORED = {2: (0, 1), 3: (1, 1), 4: (1, 0), 6: (0, 1), 7: (1, 1), 8: (1, 0)}


def upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """The array (H, W) or (H, W, C) as it was seen; orientations that there are not change nothing.

    >>> upright(np.array([[1, 2], [3, 4]]), 6).tolist()
    [[3, 1], [4, 2]]
    """
    if orientation in TURNED:
        array = np.swapaxes(array, 0, 1)
    rows, columns = _MIRRORED.get(orientation, (0, 0))
    return array[:: -1 if rows else 1, :: -1 if columns else 1]
