"""u_xx + u_yy = -2 pi^2 sin(pi x) sin(pi y) on the unit square, 0 on its boundary."""

import numpy as np

from benchmarks.physics.mathematics import sin
from benchmarks.physics.problem import Given, Problem
from benchmarks.physics.sampling import grid, inside, sides

LOW, HIGH = (0, 0), (1, 1)


def poisson(f):
    return f.d("xx") + f.d("yy") + 2 * np.pi**2 * sin(np.pi * f["x"]) * sin(np.pi * f["y"])


EDGE = sides(LOW, HIGH, 40)
PROBLEM = Problem(
    names="xy",
    outputs=("u",),
    pde=poisson,
    points=inside(LOW, HIGH, 400),
    conditions=(Given("edge", EDGE, np.zeros(len(EDGE)), "u"),),
    exact=lambda p: np.prod(np.sin(np.pi * p), axis=1, keepdims=True),
    test=grid(LOW, HIGH, 51),
)
