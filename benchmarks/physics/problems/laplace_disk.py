"""u_xx + u_yy = 0 on the unit disk with u = cos(3 angle) on its edge: the solution is the real part of (x + iy)^3."""

import numpy as np

from benchmarks.physics.problem import Given, Problem
from benchmarks.physics.sampling import inside


def laplace(f):
    return f.d("xx") + f.d("yy")


def exact(p):
    return ((p[:, :1] + 1j * p[:, 1:]) ** 3).real


def disk(count, seed):
    radius_and_angle = inside((0, 0), (1, 2 * np.pi), count, seed)
    return circle(radius_and_angle[:, 1]) * np.sqrt(radius_and_angle[:, :1])


def circle(angle):
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype("float32")


EDGE = circle(np.linspace(0, 2 * np.pi, 100, endpoint=False))
PROBLEM = Problem(
    names="xy",
    outputs=("u",),
    pde=laplace,
    points=disk(400, seed=0),
    conditions=(Given("edge", EDGE, exact(EDGE)[:, 0], "u"),),
    exact=exact,
    test=disk(2000, seed=1),
)
