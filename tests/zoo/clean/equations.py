"""Right equations of many forms."""

from keras import ops

from kerasmith.physics import Field, Residual, divergence, laplacian
from tests.zoo.entries import Right


def burgers(f, nu):
    return f.d("t") + f.u * f.d("x") - nu * f.d("xx")


def heat(f):
    return f.d("t") - 0.3 * laplacian(f, over="xy")


def poisson(f):
    return laplacian(f) + ops.sin(3.0 * f["x"])


def logistic(f, rate, limit):
    return f.d("t") - rate * f.u * (1 - f.u / limit)


def lorenz(f, sigma, rho, beta):
    return [
        f.d("t", "x") - sigma * (f.y - f.x),
        f.d("t", "y") - f.x * (rho - f.z) + f.y,
        f.d("t", "z") - f.x * f.y + beta * f.z,
    ]


def stokes(f):
    return {
        "x": f.d("x", "p") - laplacian(f, "u"),
        "y": f.d("y", "p") - laplacian(f, "v"),
        "mass": divergence(f, "uv"),
    }


def beam(field):
    return field.d("tt") + field.d("xxxx")


def data(f, y):
    return f.u - y


def column(f):
    return ops.expand_dims(f.d("x") - f.u, -1)


def kinked(f):
    return f.d("t") + ops.abs(f.d("x")) - ops.relu(f.u - 1.4)


def positive(f):
    return f.d("x") * ops.log(f.u) + ops.sqrt(f.u) * f.d("t")


def conductivity(f):
    k = Field(lambda p: 1.0 + p[:, 0] ** 2, ops.stack([f["x"], f["t"]], axis=1), names="xt")
    return f.d("t") - k.u * f.d("xx") - k.d("x") * f.d("x")


def near_the_wall(f):
    return ops.where(f["x"] > 0.95, f.d("x"), 0.0)


def hinge(f, nu):
    return ops.relu(f.d("x") + f.d("t") - nu) + ops.where(f["x"] > 0.97, f.d("xx"), 0.0)


def moving_average(f):
    return f.d("t") - (f.u - ops.mean(f.u))


def damped(f):
    return ops.stop_gradient(1 / (1 + ops.abs(f.d("x")))) * (f.d("t") + f.u * f.d("x"))


moving_average.kerasmith_contract = {"independent": False}
damped.kerasmith_contract = {"exact_gradient": False}

SMOOTH = (burgers, heat, poisson, logistic, lorenz, stokes, beam, data, column, positive, conductivity)
RIGHT = [Right(one) for one in (*SMOOTH, kinked, near_the_wall, hinge)]
RIGHT += [Right(moving_average), Right(damped), Right(Residual(burgers, names="tx", fixed={"nu": 0.1}))]
