"""Patterns that tell areas of a picture apart without colour, on screen and on paper."""

import numpy as np


def stripes(shape: tuple[int, int], period: int) -> np.ndarray:
    """Diagonal stripes, half of each period.

    >>> stripes((2, 4), 4).astype(int)
    array([[1, 1, 0, 0],
           [1, 0, 0, 1]])
    """
    rows, columns = np.indices(shape)
    return (rows + columns) % period < period // 2


def dots(shape: tuple[int, int], period: int) -> np.ndarray:
    """Squares of half a period, in rows that are shifted by half a period.

    >>> dots((4, 4), 4).astype(int)
    array([[1, 1, 0, 0],
           [1, 1, 0, 0],
           [0, 0, 1, 1],
           [0, 0, 1, 1]])
    """
    rows, columns = np.indices(shape) // max(1, period // 2)
    return (rows + columns) % 2 == 0
