"""u_xx + u_yy + k^2 u = -k^2 sin(k x) sin(k y) on the unit square with k = 2 pi, 0 on its boundary."""

import numpy as np

from benchmarks.physics.mathematics import sin
from benchmarks.physics.problem import Given, Problem
from benchmarks.physics.sampling import grid, inside, sides

LOW, HIGH = (0, 0), (1, 1)
K = 2 * np.pi


def helmholtz(f):
    return f.d("xx") + f.d("yy") + K**2 * f.u + K**2 * sin(K * f["x"]) * sin(K * f["y"])


EDGE = sides(LOW, HIGH, 60)
PROBLEM = Problem(
    names="xy",
    outputs=("u",),
    pde=helmholtz,
    points=inside(LOW, HIGH, 800),
    conditions=(Given("edge", EDGE, np.zeros(len(EDGE)), "u"),),
    exact=lambda p: np.prod(np.sin(K * p), axis=1, keepdims=True),
    test=grid(LOW, HIGH, 51),
    hidden=(30, 30, 30),
)
