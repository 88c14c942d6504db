"""Navier and Stokes' equations, steady, at Re = 20: Kovasznay's flow behind a grid."""

import numpy as np

from benchmarks.physics.problem import Given, Problem
from benchmarks.physics.sampling import grid, inside, sides

LOW, HIGH = (-0.5, -0.5), (1, 1.5)
REYNOLDS = 20
DECAY = REYNOLDS / 2 - np.sqrt(REYNOLDS**2 / 4 + 4 * np.pi**2)


def flow(f):
    u, v = f.value("u"), f.value("v")
    return [
        u * f.d("x", "u") + v * f.d("y", "u") + f.d("x", "p") - (f.d("xx", "u") + f.d("yy", "u")) / REYNOLDS,
        u * f.d("x", "v") + v * f.d("y", "v") + f.d("y", "p") - (f.d("xx", "v") + f.d("yy", "v")) / REYNOLDS,
        f.d("x", "u") + f.d("y", "v"),
    ]


def exact(p):
    x, y = p[:, 0], p[:, 1]
    fade = np.exp(DECAY * x)
    u, v = 1 - fade * np.cos(2 * np.pi * y), DECAY / (2 * np.pi) * fade * np.sin(2 * np.pi * y)
    return np.stack([u, v, (1 - fade**2) / 2], axis=1)


EDGE = sides(LOW, HIGH, 60)
PROBLEM = Problem(
    names="xy",
    outputs=("u", "v", "p"),
    pde=flow,
    points=inside(LOW, HIGH, 800),
    conditions=tuple(Given(f"edge_{name}", EDGE, exact(EDGE)[:, k], name) for k, name in enumerate("uv")),
    exact=exact,
    test=grid(LOW, HIGH, 51),
    hidden=(30, 30, 30),
    outputs_compared=2,
)
