"""Lorenz' system until t = 1 with its three coefficients unknown, from 30 observations of the three outputs; SciPy's solution.

The outputs are tenths, which suits a network.
"""

import functools

import numpy as np

from benchmarks.physics.problem import Given, Problem
from benchmarks.physics.sampling import grid, inside

LOW, HIGH = (0,), (1,)
TRUE = {"sigma": 10.0, "rho": 15.0, "beta": 8 / 3}
START = (-8.0, 7.0, 27.0)


def lorenz(f, sigma, rho, beta):
    x, y, z = f.value("x"), f.value("y"), f.value("z")
    return [
        f.d("t", "x") - sigma * (y - x),
        f.d("t", "y") - x * (rho - 10 * z) + y,
        f.d("t", "z") - 10 * x * y + beta * z,
    ]


@functools.cache
def _solution():
    from scipy.integrate import solve_ivp

    def slope(_, s):
        x, y, z = s
        return [TRUE["sigma"] * (y - x), x * (TRUE["rho"] - z) - y, x * y - TRUE["beta"] * z]

    return solve_ivp(slope, (0, 1), START, "DOP853", rtol=1e-10, atol=1e-10, dense_output=True).sol


def exact(p):
    return _solution()(p[:, 0].astype("float64")).T / 10


SEEN = np.linspace(0, 1, 30, dtype="float32")[:, None]
PROBLEM = Problem(
    names="t",
    outputs=("x", "y", "z"),
    pde=lorenz,
    points=inside(LOW, HIGH, 200),
    conditions=tuple(Given(f"seen_{name}", SEEN, exact(SEEN)[:, k], name) for k, name in enumerate("xyz")),
    exact=exact,
    test=grid(LOW, HIGH, 201),
    unknowns={name: (true * 0.8, true) for name, true in TRUE.items()},
)
