"""The simple method for tissues of the brain: brightness alone, after the shading was divided out."""

import itertools

import numpy as np

WINDOWS = (None, 31, 61, 91)
"""Widths, in voxels, among which the best one for the training part is taken; None leaves the shading in."""


def evened(brightness: np.ndarray, window: int | None) -> np.ndarray:
    """Each voxel of the brain beside the mean of the brain around it, so that a smooth shading goes.

        v * mean(v) / mean(v around)

    Args:
        brightness: any number of axes; 0 where there is no brain.
        window: width of the box around a voxel; None gives the brightness itself.

    Example:

    >>> evened(np.array([0.0, 2.0, 2.0, 8.0, 8.0]), 3).round(1).tolist()
    [0.0, 5.0, 2.5, 6.7, 5.0]

    Reference: Brinkmann, Manduca and Robb, "Optimized homomorphic unsharp masking for MR grayscale inhomogeneity correction",
    1998.
    """
    from scipy.ndimage import uniform_filter  # SciPy comes with the demo extra

    inside = brightness > 0
    if window is None or not inside.any():
        return brightness
    near, count = (uniform_filter(values.astype(float), window, mode="constant") for values in (brightness, inside))
    return np.where(inside, brightness * brightness[inside].mean() * count / np.where(inside, near, 1), 0)


def best_thresholds(
    brightness: np.ndarray, grey: np.ndarray, white: np.ndarray, candidates: np.ndarray | None = None
) -> tuple[float, float]:
    """(low, high) for which grey = low < v <= high and white = v > high have the largest sum of both Dice scores.

    Args:
        brightness: any shape, of the part to train on.
        grey, white: what is true, in that shape.
        candidates: ascending; 40 levels within [.3, .95] by default.

    Example:

    >>> v = np.array([0.1, 0.4, 0.5, 0.8, 0.9])
    >>> best_thresholds(v, v == 0.5, v > 0.7, candidates=np.array([0.3, 0.45, 0.6]))
    (0.45, 0.6)
    """
    candidates = np.linspace(0.3, 0.95, 40) if candidates is None else candidates
    # Counts of voxels, of grey and of white ones above each candidate: all that the scores need.
    above = [
        np.array([np.count_nonzero(values > level) for level in candidates])
        for values in (brightness, brightness[grey > 0.5], brightness[white > 0.5])
    ]
    voxels, of_grey, of_white = above

    def score(low, high):
        grey_dice = 2 * (of_grey[low] - of_grey[high]) / (voxels[low] - voxels[high] + np.count_nonzero(grey > 0.5))
        return grey_dice + 2 * of_white[high] / (voxels[high] + np.count_nonzero(white > 0.5))

    low, high = max(itertools.combinations(range(len(candidates)), 2), key=lambda pair: score(*pair))
    return float(candidates[low]), float(candidates[high])


def segment(brightness: np.ndarray, thresholds: tuple[float, float]) -> dict[str, np.ndarray]:
    """{"grey", "white"}: booleans in the shape of the brightness."""
    low, high = thresholds
    return {"grey": (brightness > low) & (brightness <= high), "white": brightness > high}
