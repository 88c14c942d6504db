"""u_t + u u_x = (0.01 / pi) u_xx on (-1, 1), 0 at the ends, u = -sin(pi x) at first: a shock at x = 0.

The solution is the formula of Cole and Hopf, integrated by Gauss and Hermite's rule (Basdevant et al. 1986).
"""

import numpy as np

from benchmarks.physics.problem import Given, Problem
from benchmarks.physics.sampling import grid, inside, side, sides

LOW, HIGH = (-1, 0), (1, 1)
VISCOSITY = 0.01 / np.pi


def burgers(f):
    return f.d("t") + f.u * f.d("x") - VISCOSITY * f.d("xx")


def exact(p):
    nodes, weights = np.polynomial.hermite.hermgauss(100)
    x, t = p[:, :1].astype("float64"), np.maximum(p[:, 1:].astype("float64"), 1e-12)
    place = x - 2 * np.sqrt(VISCOSITY * t) * nodes
    exponent = -np.cos(np.pi * place) / (2 * np.pi * VISCOSITY)
    density = weights * np.exp(exponent - exponent.max(axis=1, keepdims=True))
    return -(np.sin(np.pi * place) * density).sum(axis=1, keepdims=True) / density.sum(axis=1, keepdims=True)


ENDS, START = sides(LOW, HIGH, 40, axes=(0,)), side(LOW, HIGH, 1, 0, 160)
PROBLEM = Problem(
    names="xt",
    outputs=("u",),
    pde=burgers,
    points=inside(LOW, HIGH, 1500),
    conditions=(
        Given("ends", ENDS, np.zeros(len(ENDS)), "u"),
        Given("start", START, -np.sin(np.pi * START[:, 0]), "u"),
    ),
    exact=exact,
    test=grid(LOW, HIGH, 101),
)
