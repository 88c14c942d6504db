"""Objectives of equations and conditions with one fault each, and conditions alone."""

import numpy as np
from keras import ops

from kerasmith import Objective
from kerasmith.physics import Ball, Box, Condition, Residual
from tests.zoo.entries import Broken

ROD = Box([0, 0], [1, 2], names="xt")
DISK = Ball([0, 0], 1, names="xy")
START = ROD.initial(20)
WALLS = ROD.boundary(20)
LEFT = np.array([[0.0, 0.5], [0.0, 1.0]])


def heat(f):
    return f.d("t") - 0.1 * f.d("xx")


def cut_off(f):
    return ops.stop_gradient(f.d("t") - 0.1 * f.d("xx"))


def at_the_wall(f):
    return ops.where(ops.equal(f["x"], 0.0), f.u, 0.0)


def poisson(f):
    return f.d("xx") + f.d("yy") + 1.0


def reciprocal(f):
    return f.d("t") - f.d("xx") / (f.u - f.u)


def sine(p):
    return np.sin(np.pi * p[:, 0])


unknown_output = Objective([Residual(heat), Condition(WALLS, 0.0, output="v", outputs=["u"])])
infinite = Objective([Residual(reciprocal), Condition(WALLS, 0.0)])
compared_with_itself = Condition((LEFT, LEFT.copy()), kind="periodic", names="xt")
mask_that_no_point_hits = Objective([Residual(heat), Residual(at_the_wall, points=ROD.uniform(30)), Condition(WALLS)])
without_weight = Objective([Residual(heat), Condition(START, sine, kind="initial"), Condition(WALLS, weight=0.0)])
alone = Objective([Residual(heat)])
of_another_domain = Objective([Residual(heat, points=ROD.sobol(32)), Condition(Box([0, 0], [10, 2], names="xt").boundary(20))])
swapped = Objective([Residual(heat, points=ROD.sobol(32)), Condition([[1.5, 0.0], [1.5, 1.0]])])
far_away = Objective([Residual(heat, points=np.random.default_rng(0).random((30, 2))), Condition([[0.0, 0.5], [100.0, 0.5]])])
EDGE = DISK.boundary(9)
inwards = Objective([Residual(poisson, points=DISK.uniform(30)), Condition(EDGE.x, kind="neumann", normals=-EDGE.normals)])
late_start = Objective([Residual(heat), Condition(ROD.uniform(20), sine, kind="initial"), Condition(WALLS)])
corner = Objective(
    [Residual(heat), Condition([[0.0, 0.0], [0.5, 0.0]], 1.0, kind="initial"), Condition([[0.0, 0.0], [0.0, 1.0]], 0.0)]
)
equation_without_gradient = Objective([Residual(cut_off), Condition(START, sine, kind="initial"), Condition(WALLS)])

BROKEN = [
    Broken(unknown_output, "P000"),
    Broken(infinite, "P000"),
    Broken(compared_with_itself, "P101"),
    Broken(mask_that_no_point_hits, "P101"),
    Broken(without_weight, "P102"),
    Broken(alone, "P103"),
    Broken(of_another_domain, "P110"),
    Broken(swapped, "P110"),
    Broken(far_away, "P110"),
    Broken(inwards, "P111"),
    Broken(late_start, "P112"),
    Broken(corner, "P113"),
    Broken(equation_without_gradient, "P120"),
]
