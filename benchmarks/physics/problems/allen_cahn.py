"""u_t = 0.01 u_xx + 5 (u - u^3) on (-1, 1), -1 at the ends, u = x^2 cos(pi x) at first.

The solution is that of finite differences of second order on 401 points, in time by SciPy's LSODA.
"""

import functools

import numpy as np

from benchmarks.physics.problem import Given, Problem
from benchmarks.physics.sampling import grid, inside, side, sides

LOW, HIGH = (-1, 0), (1, 1)
DIFFUSION, POINTS = 0.01, 401


def allen_cahn(f):
    return f.d("t") - DIFFUSION * f.d("xx") - 5 * (f.u - f.u * f.u * f.u)


def at_first(x):
    return x**2 * np.cos(np.pi * x)


@functools.cache
def _solution():
    from scipy.integrate import solve_ivp
    from scipy.interpolate import RegularGridInterpolator

    x, t = np.linspace(-1, 1, POINTS), np.linspace(0, 1, 201)

    def slope(_, u):
        change = np.zeros_like(u)
        bend = (u[2:] - 2 * u[1:-1] + u[:-2]) / (x[1] - x[0]) ** 2
        change[1:-1] = DIFFUSION * bend + 5 * (u[1:-1] - u[1:-1] ** 3)
        return change

    found = solve_ivp(slope, (0, 1), at_first(x), "LSODA", t, rtol=1e-8, atol=1e-9, lband=1, uband=1)
    return RegularGridInterpolator((x, t), found.y, method="cubic")


def exact(p):
    return _solution()(np.clip(p, LOW, HIGH))[:, None]


ENDS, START = sides(LOW, HIGH, 40, axes=(0,)), side(LOW, HIGH, 1, 0, 160)
PROBLEM = Problem(
    names="xt",
    outputs=("u",),
    pde=allen_cahn,
    points=inside(LOW, HIGH, 1500),
    conditions=(Given("ends", ENDS, -np.ones(len(ENDS)), "u"), Given("start", START, at_first(START[:, 0]), "u")),
    exact=exact,
    test=grid(LOW, HIGH, 101),
)
