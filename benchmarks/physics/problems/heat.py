"""u_t = 0.4 u_xx on (0, 1), 0 at the ends, u = sin(pi x) at first."""

import numpy as np

from benchmarks.physics.problem import Given, Problem
from benchmarks.physics.sampling import grid, inside, side, sides

LOW, HIGH = (0, 0), (1, 1)
SPEED = 0.4


def heat(f):
    return f.d("t") - SPEED * f.d("xx")


def exact(p):
    return np.exp(-SPEED * np.pi**2 * p[:, 1:]) * np.sin(np.pi * p[:, :1])


ENDS, START = sides(LOW, HIGH, 40, axes=(0,)), side(LOW, HIGH, 1, 0, 80)
PROBLEM = Problem(
    names="xt",
    outputs=("u",),
    pde=heat,
    points=inside(LOW, HIGH, 500),
    conditions=(Given("ends", ENDS, np.zeros(len(ENDS)), "u"), Given("start", START, exact(START)[:, 0], "u")),
    exact=exact,
    test=grid(LOW, HIGH, 51),
)
