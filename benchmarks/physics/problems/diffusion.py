"""u_t = c u_xx - exp(-t) (sin(pi x) - pi^2 sin(pi x)) on (-1, 1) with c unknown, from ten values at t = 1."""

import numpy as np

from benchmarks.physics.mathematics import exp, sin
from benchmarks.physics.problem import Given, Problem
from benchmarks.physics.sampling import grid, inside, side, sides

LOW, HIGH = (-1, 0), (1, 1)


def diffusion(f, c):
    return f.d("t") - c * f.d("xx") + exp(-f["t"]) * (1 - np.pi**2) * sin(np.pi * f["x"])


def exact(p):
    return np.exp(-p[:, 1:]) * np.sin(np.pi * p[:, :1])


ENDS, START, SEEN = sides(LOW, HIGH, 40, axes=(0,)), side(LOW, HIGH, 1, 0, 80), side(LOW, HIGH, 1, 1, 10)
PROBLEM = Problem(
    names="xt",
    outputs=("u",),
    pde=diffusion,
    points=inside(LOW, HIGH, 500),
    conditions=(
        Given("ends", ENDS, np.zeros(len(ENDS)), "u"),
        Given("start", START, exact(START)[:, 0], "u"),
        Given("seen", SEEN, exact(SEEN)[:, 0], "u"),
    ),
    exact=exact,
    test=grid(LOW, HIGH, 51),
    unknowns={"c": (2.0, 1.0)},
)
