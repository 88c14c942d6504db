"""Derivatives up to order four: beside SymPy, beside a network in closed form, compiled and at once."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.physics import Field, divergence, gradient, jacobian, laplacian
from tests.physics.networks import X, array, branched, close, closed_form, compiled, network

NAMES = [
    "".join(letters) for order in range(1, 5) for letters in itertools.combinations_with_replacement("xt", order)
]  # all 14


def _composite(p):
    x, t = p[:, 0], p[:, 1]
    return ops.exp(-t) * ops.sin(2 * x) + x**3 * t**2 + ops.tanh(x * t) / (2 + x)


def _by_sympy(which):
    sympy = pytest.importorskip("sympy")
    x, t = sympy.symbols("x t")
    u = sympy.exp(-t) * sympy.sin(2 * x) + x**3 * t**2 + sympy.tanh(x * t) / (2 + x)
    formula = sympy.diff(u, *({"x": x, "t": t}[letter] for letter in which))
    return sympy.lambdify((x, t), formula, "numpy")(*X.astype("float64").T)


@pytest.mark.heavy("traces every derivative of a function", on=("tensorflow",), seconds=5)
def test_every_derivative_up_to_order_four_beside_sympy():
    def derivatives(x):
        f = Field(_composite, x, names="xt")
        return [f.d(which) for which in NAMES]

    for which, found in zip(NAMES, compiled(derivatives)(ops.convert_to_tensor(X)), strict=True):
        close(array(found), _by_sympy(which))


def test_every_derivative_of_a_network_beside_its_closed_form():
    model = network(outputs=2)

    def derivatives(x):
        f = Field(model, x, names="xt", outputs="uv")
        return [f.u, *(f.d(which, "v") for which in NAMES)]

    value, *found = compiled(derivatives)(ops.convert_to_tensor(X))
    close(array(value), closed_form(model, X, ()))
    for which, derivative in zip(NAMES, found, strict=True):
        close(array(derivative), closed_form(model, X, ["xt".index(letter) for letter in which], output=1))


def test_every_derivative_of_a_network_that_is_no_chain_of_layers():
    model, whole = branched()
    found = compiled(lambda x: [Field(model, x).d(which) for which in NAMES])(ops.convert_to_tensor(X))
    for which, derivative in zip(NAMES, found, strict=True):
        close(array(derivative), closed_form(whole, X, ["xt".index(letter) for letter in which]))


def test_outside_of_compiled_code():
    f = Field(_composite, X, names="xt")
    close(array(f.d("tx")), _by_sympy("xt"))
    assert f.d("tx") is f.d("xt")
    close(array(f["t"] * f.d("x")), X[:, 1] * _by_sympy("x"))
    assert tuple(f.d("xx").shape) == tuple(f.u.shape) == (len(X),)


@pytest.mark.host("counts calls of the function; PyTorch needs one for all derivatives")
@pytest.mark.skipif(keras.backend.backend() != "torch", reason="the others evaluate anew outside of compiled code")
def test_one_evaluation_gives_all_derivatives():
    calls = []

    def counted(p):
        calls.append(None)
        return _composite(p)

    f = Field(counted, X)
    for which in NAMES:
        f.d(which)
    assert len(calls) == 1


def test_operators_of_vector_calculus():
    def flow(p):  # u = x^2 y, v = sin(x) y^2
        x, y = p[:, 0], p[:, 1]
        return ops.stack([x**2 * y, ops.sin(x) * y**2], axis=-1)

    f = Field(flow, X, names="xy", outputs="uv")
    x, y = X.T.astype("float64")
    close(array(gradient(f, "u")), np.stack([2 * x * y, x**2], -1))
    close(array(divergence(f)), 2 * x * y + 2 * np.sin(x) * y)
    close(array(laplacian(f, "v")), -np.sin(x) * y**2 + 2 * np.sin(x))
    close(array(jacobian(f))[:, 1], np.stack([np.cos(x) * y**2, 2 * np.sin(x) * y], -1))
    # Time is no axis of space.
    f = Field(lambda p: p[:, 0] ** 2 * p[:, 1] ** 3, X, names="xt")
    close(array(laplacian(f)), 2 * y**3)
    close(array(laplacian(f, over="xt")), 2 * y**3 + 6 * x**2 * y)


def test_inputs_and_outputs_in_parts():
    f = Field(
        lambda p: {"a": p["radius"] ** 2 * p["s"][:, 0], "b": p["radius"] + p["s"][:, 0]},
        {"radius": X[:, 0], "s": X[:, 1:] + 2},
    )
    assert (f.names, f.outputs) == (("radius", "s"), ("a", "b"))
    close(array(f.d(("radius", "s"), "a")), 2 * X[:, 0])
    close(array(f.d("s", 1)), np.ones(len(X)))
    f = Field(lambda p: p[0] * p[1], [X[:, :1], X[:, 1:]], names=["x1", "x2"])
    close(array(f.d(["x2"])), X[:, 0])
    line = Field(lambda x: x**3, X[:, 0], names="s")
    close(array(line.d("sss")), np.full(len(X), 6.0))


def test_what_is_linear_has_second_derivatives_of_zero():
    f = Field(lambda p: 3 * p[:, 0] + p[:, 0] * p[:, 1], X)
    close(array(f.d("xx")), np.zeros(len(X)))
    close(array(f.d("xxtt")), np.zeros(len(X)))
    close(array(f.d("xt")), np.ones(len(X)))
