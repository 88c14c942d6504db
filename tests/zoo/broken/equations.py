"""Equations with one fault each."""

import numpy as np
from keras import ops

from kerasmith.physics import Field
from tests.zoo.entries import Broken


def reads_an_output_that_is_no_field(f):
    """`f.d` of a derivative that no coordinate has: longer than four."""
    return f.d("t") - f.d("xxxxx")


def against_labels_of_rank_two(f, y_pred):
    """(B,) - (B, 1) is (B, B): the complaint about every library of physics-informed networks."""
    return f.d("t") + f.u - y_pred


def mean_of_the_residual(f):
    """The mean before the square: errors of different signs cancel."""
    return ops.mean(f.d("t") - f.d("xx"))


def difference_of_rows(f):
    """A derivative from the neighbours in the batch, which is no grid."""
    return f.d("t") - (ops.roll(f.u, -1) - f.u) / 0.1


def frozen_coefficient(f):
    """Burgers whose velocity is cut off: the gradient is that of another equation."""
    return f.d("t") + ops.stop_gradient(f.u) * f.d("x") - 0.1 * f.d("xx")


def through_numpy(f):
    """The whole residual leaves the graph."""
    left = f.d("t") - f.d("xx")
    return ops.convert_to_tensor(np.array(ops.convert_to_numpy(ops.stop_gradient(left))))


def subtracted_from_itself(f):
    """0 for every field: both are the same mixed derivative."""
    return f.d("xt") - f.d("tx")


def boundary_that_no_point_hits(f):
    """A boundary condition as a mask over points that are drawn inside: it is never sampled."""
    return ops.where(ops.equal(f["x"], 0.0), f.u - 1.0, 0.0)


def forgotten_diffusion(f):
    """The second derivative is computed and not used."""
    diffusion = 0.1 * f.d("xx")  # noqa: F841
    return f.d("t") + f.u * f.d("x")


def idle_unknown(f, nu):
    """The unknown coefficient does not occur."""
    return f.d("t") - 0.1 * f.d("xx")


def detached_unknown(f, nu):
    """The unknown coefficient is read as a number."""
    return f.d("t") - ops.stop_gradient(nu) * f.d("xx")


def detached_coefficient(f):
    """A conductivity that varies in space, made in a way that has no derivative: k.d("x") is 0."""
    k = Field(lambda p: 1.0 + ops.stop_gradient(p[:, 0]) ** 2, ops.stack([f["x"], f["t"]], axis=1), names="xt")
    return f.d("t") - k.u * f.d("xx") - k.d("x") * f.d("x")


BROKEN = [
    Broken(reads_an_output_that_is_no_field, "E000"),
    Broken(against_labels_of_rank_two, "E101"),
    Broken(mean_of_the_residual, "E101"),
    Broken(difference_of_rows, "E102"),
    Broken(detached_coefficient, "E103"),
    Broken(through_numpy, "E104"),
    Broken(frozen_coefficient, "E105"),
    Broken(subtracted_from_itself, "E106"),
    Broken(boundary_that_no_point_hits, "E106"),
    Broken(forgotten_diffusion, "E107"),
    Broken(idle_unknown, "E108"),
    Broken(detached_unknown, "E109"),
]
