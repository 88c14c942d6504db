"""Equations and conditions as a user writes them, in a module that a fresh process imports too."""

import numpy as np

from kerasmith import Objective
from kerasmith.physics import Condition, Residual, Unknown
from tests.physics.networks import RNG, network

POINTS = RNG.uniform(-1, 1, (6, 2)).astype("float32")
NORMALS = np.asarray([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]] * 2, "float32")


def burgers(f, scale, nu):
    return f.d("t") + f.u * f.d("x") - scale * nu * f.d("xx")


def wave(f):
    return f.d("tt") - f.d("xx") + 0.1 * f["x"]


def slanted(p):
    return p[:, 0] - p[:, 1]


class Wall:
    """What a domain gives: points that know their normals."""

    x = POINTS
    normals = NORMALS


def objective():
    """Every kind of term, once."""
    return Objective(
        {
            "burgers": Residual(burgers, weight=0.5, names="xt", fixed={"scale": 2.0}),
            "wave": Residual(wave),
            "elsewhere": Residual(wave, points=POINTS),
            "start": Condition(POINTS, slanted, "initial"),
            "speed": Condition(POINTS, 0.5, "initial", derivative="t"),
            "wall": Condition(Wall, np.arange(6), "neumann"),
            "leak": Condition(POINTS, slanted, "robin", normals=NORMALS, coefficients=(2.0, 3.0)),
            "sides": Condition((POINTS, POINTS + 1), kind="periodic"),
            "round": Condition(POINTS, kind="periodic", axis="x", bounds=(-1, 1), derivative="x"),
            "ends": Condition(POINTS, 0.25),
            "nu": Unknown(0.3, "nu"),
        }
    )


def problem(**compile_arguments):
    """A compiled model."""
    model = network()
    model.compile("adam", objective(), **compile_arguments)
    return model
