"""Right objectives of equations and conditions, and conditions alone."""

import numpy as np

from kerasmith import Objective
from kerasmith.physics import Ball, Box, Condition, Residual, Unknown
from tests.zoo.entries import Right

ROD = Box([0, 0], [1, 2], names="xt")
HOLED = Box([-2, -2], [2, 2], names="xy") - Ball([0, 0], 1)
START, WALLS = ROD.initial(20), ROD.boundary(20)


def heat(f, k=0.1):
    return f.d("t") - k * f.d("xx")


def inverse(f, k):
    return f.d("t") - k * f.d("xx")


def wave(f):
    return f.d("tt") - f.d("xx")


def laplace(f):
    return f.d("xx") + f.d("yy")


def stokes(f):
    return [f.d("x", "p") - f.d("xx", "u") - f.d("yy", "u"), f.d("x", "u") + f.d("y", "v")]


def sine(p):
    return np.sin(np.pi * p[:, 0])


rod = Objective([Residual(heat, points=ROD.sobol(32)), Condition(START, sine, kind="initial"), Condition(WALLS, 0.0)])
seen_inside = Objective([Residual(inverse), Condition(ROD.uniform(10), 0.3, name="seen"), Unknown(0.5, "k")])
string = Objective(
    [
        Residual(wave, points=ROD.uniform(30)),
        Condition(START, sine, kind="initial"),
        Condition(START, 0.0, kind="initial", derivative="t", name="at_rest"),
        Condition(ROD.uniform(10), kind="periodic", axis="x"),
    ]
)
flux = Objective([Residual(laplace, points=HOLED.uniform(40)), Condition(HOLED.boundary(40), 1.0, kind="robin")])
flow = Objective([Residual(stokes, names="xy"), Condition(HOLED.boundary(20), 1.0, output="u", name="drag")])
data_besides = Objective({"heat": Residual(heat), "fit": "mse"})
two_sides = Condition((np.zeros((4, 1)), np.ones((4, 1))), kind="periodic", names="x")
slope = Condition(ROD.boundary(10), 0.0, kind="neumann")

RIGHT = [Right(one) for one in (rod, seen_inside, string, flux, flow, data_besides, two_sides, slope)]
