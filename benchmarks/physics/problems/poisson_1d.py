"""u'' = -pi^2 sin(pi x) between -1 and 1, 0 at the ends."""

import numpy as np

from benchmarks.physics.mathematics import sin
from benchmarks.physics.problem import Given, Problem
from benchmarks.physics.sampling import grid, inside, sides

LOW, HIGH = (-1,), (1,)


def poisson(f):
    return f.d("xx") + np.pi**2 * sin(np.pi * f["x"])


ENDS = sides(LOW, HIGH, 1)
PROBLEM = Problem(
    names="x",
    outputs=("u",),
    pde=poisson,
    points=inside(LOW, HIGH, 64),
    conditions=(Given("ends", ENDS, np.zeros(len(ENDS)), "u"),),
    exact=lambda p: np.sin(np.pi * p[:, :1]),
    test=grid(LOW, HIGH, 201),
)
