"""A rod that cools: what thermometers with noise would have measured, and what is really so."""

import dataclasses

import numpy as np

from kerasmith.physics import Box

DIFFUSIVITY = 0.1
"""What the demo has to find."""

ROD = Box([0, 0], [1, 1], names="xt")
THERMOMETERS, TIMES, NOISE = 9, 40, 0.05
_MODES = {1: 1.0, 3: 0.5}  # {number of half waves: height at the beginning}


@dataclasses.dataclass(frozen=True)
class Measurements:
    """Temperatures on a grid of places and times.

    Attributes:
        x: (X,) places of the thermometers, inside of the rod.
        t: (T,) times, the first one 0.
        values: (X, T) temperatures.
    """

    x: np.ndarray
    t: np.ndarray
    values: np.ndarray

    @property
    def points(self) -> np.ndarray:
        """(X * T, 2) float32 coordinates, in the order of `values`."""
        return np.stack(np.meshgrid(self.x, self.t, indexing="ij"), -1).reshape(-1, 2).astype("float32")


def exact(points: np.ndarray) -> np.ndarray:
    """u(x, t) = sum_n a_n sin(n pi x) exp(-k (n pi)^2 t) at points (N, 2): solves u_t = k u_xx with cold ends.

    >>> exact(np.array([[0.0, 0.0], [0.5, 0.0], [1.0, 0.3]])).round(12).tolist()
    [0.0, 0.5, 0.0]
    """
    x, t = np.asarray(points, float).T
    return sum(a * np.sin(n * np.pi * x) * np.exp(-DIFFUSIVITY * (n * np.pi) ** 2 * t) for n, a in _MODES.items())


def measure(seed: int) -> Measurements:
    """Temperatures with normal noise of standard deviation `NOISE`."""
    x, t = np.linspace(0, 1, THERMOMETERS + 2)[1:-1], np.linspace(0, 1, TIMES)
    clean = Measurements(x, t, np.zeros((len(x), len(t))))
    noise = np.random.default_rng(seed).normal(0, NOISE, clean.values.shape)
    return dataclasses.replace(clean, values=exact(clean.points.astype(float)).reshape(noise.shape) + noise)


def spline_estimate(measured: Measurements, noise: float = NOISE) -> tuple[float, np.ndarray]:
    """The simple method: a smoothing spline through the measurements, whose derivatives give the diffusivity.

        k = sum(u_t u_xx) / sum(u_xx^2)   over a grid of points that are not near the edges

    Args:
        measured: see `measure`. The ends of the rod, which are cold, are added to it without noise.
        noise: standard deviation: the spline is the smoothest that misses the values by no more, in the mean square.

    Returns:
        k, and the (101, 101) temperatures of the spline on the grid of `physics.verify`.
    """
    from scipy.interpolate import RectBivariateSpline  # SciPy comes with the demo extra

    x = np.concatenate([[0.0], measured.x, [1.0]])
    values = np.pad(measured.values, ((1, 1), (0, 0)))
    spline = RectBivariateSpline(x, measured.t, values, kx=4, ky=5, s=measured.values.size * noise**2)
    inner = np.linspace(0.15, 0.85, 71)  # near the edges of the data the derivatives of a spline are poor
    u_t, u_xx = spline(inner, inner, dy=1), spline(inner, inner, dx=2)
    grid = np.linspace(0, 1, 101)
    return float((u_t * u_xx).sum() / (u_xx**2).sum()), spline(grid, grid)
