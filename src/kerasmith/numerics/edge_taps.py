"""The filters of edge detectors, each a product of filters along the axes."""

import math
from typing import Any

import numpy as np

from kerasmith.numerics.wavelets import undecimated_taps

_DIFFERENCE = np.array([-1.0, 0.0, 1.0])
_CURVATURE = np.array([1.0, -2.0, 1.0])
_SMOOTH = {"sobel": np.array([1.0, 2.0, 1.0]) / 4, "scharr": np.array([3.0, 10.0, 3.0]) / 16}
_SMOOTH["canny"] = _SMOOTH["sobel"]


def gaussian(sigma: float, order: int = 0) -> Any:
    """Taps of a Gaussian of sum 1, or of its second derivative (`order=2`), up to 4 standard deviations as in SciPy.

    >>> gaussian(0.0).tolist()
    [1.0]
    """
    radius = math.floor(4 * sigma + 0.5)
    distance = np.arange(-radius, radius + 1.0)
    taps = np.exp(-0.5 * (distance / max(sigma, 1e-30)) ** 2)
    taps = taps / taps.sum()
    if not order:
        return taps
    second = taps * (distance**2 / sigma**4 - 1 / sigma**2)
    # Cut off, the sum is not quite 0 any more, and a constant image would not give 0.
    return second - second.sum() * taps


def edge_taps(kind: str, scale: float, wavelet: str = "haar") -> tuple[Any, Any]:
    """(edge, smooth): the taps along the axis across an edge, of sum 0, and along the other axes.

    Slopes are multiplied by the scale and curvatures by its square, so that a step has a similar response at every scale
    (Lindeberg, "Edge detection and ridge detection with automatic scale selection", 1998).

    Args:
        kind: "sobel", "scharr", "laplacian", "log", "canny" or "wavelet".
        scale: the standard deviation of the Gaussian for "log" and "canny", the level for "wavelet"; the others have the
            scale 1 of their own, and a Gaussian of variance scale^2 - 1 adds what is missing.
        wavelet: a name in `wavelets.LOW_PASS`.
    """
    if kind == "wavelet":
        smooth, edge = undecimated_taps(wavelet, int(scale))
        return edge, smooth
    if kind == "log":
        return -(scale**2) * gaussian(scale, order=2), gaussian(scale)
    blur = gaussian(scale if kind == "canny" else math.sqrt(scale**2 - 1))
    if kind == "laplacian":
        return -(scale**2) * np.convolve(_CURVATURE, blur), blur
    # The thresholds of Canny are slopes; the others are differences of two pixels two apart, as in scikit-image.
    pixels = 2 if kind == "canny" else 1
    return scale / pixels * np.convolve(_DIFFERENCE, blur), np.convolve(_SMOOTH[kind], blur)
