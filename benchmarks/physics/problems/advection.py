"""u_t + u_x = 0 on (0, 1): a wave that runs in at x = 0."""

import numpy as np

from benchmarks.physics.problem import Given, Problem
from benchmarks.physics.sampling import grid, inside, side

LOW, HIGH = (0, 0), (1, 1)


def advection(f):
    return f.d("t") + f.d("x")


def exact(p):
    return np.sin(2 * np.pi * (p[:, :1] - p[:, 1:]))


ENTRY, START = side(LOW, HIGH, 0, 0, 80), side(LOW, HIGH, 1, 0, 80)
PROBLEM = Problem(
    names="xt",
    outputs=("u",),
    pde=advection,
    points=inside(LOW, HIGH, 500),
    conditions=(Given("entry", ENTRY, exact(ENTRY)[:, 0], "u"), Given("start", START, exact(START)[:, 0], "u")),
    exact=exact,
    test=grid(LOW, HIGH, 51),
)
