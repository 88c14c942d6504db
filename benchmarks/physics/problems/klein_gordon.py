"""u_tt - u_xx + u^2 = -x cos(t) + x^2 cos(t)^2 on (-1, 1) until t = 2, with u = x cos(t)."""

import numpy as np

from benchmarks.physics.mathematics import cos
from benchmarks.physics.problem import Given, Problem
from benchmarks.physics.sampling import grid, inside, side, sides

LOW, HIGH = (-1, 0), (1, 2)


def klein_gordon(f):
    u, known = f.u, f["x"] * cos(f["t"])
    return f.d("tt") - f.d("xx") + u * u + known - known * known


def exact(p):
    return p[:, :1] * np.cos(p[:, 1:])


ENDS, START = sides(LOW, HIGH, 40, axes=(0,)), side(LOW, HIGH, 1, 0, 80)
PROBLEM = Problem(
    names="xt",
    outputs=("u",),
    pde=klein_gordon,
    points=inside(LOW, HIGH, 500),
    conditions=(
        Given("ends", ENDS, exact(ENDS)[:, 0], "u"),
        Given("start", START, exact(START)[:, 0], "u"),
        Given("rest", START, np.zeros(len(START)), "u", derivative="t"),
    ),
    exact=exact,
    test=grid(LOW, HIGH, 51),
)
