"""What residuals, conditions and unknown coefficients refuse, and what they say."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import Model, Objective
from kerasmith.physics import Condition, HardConstraint, Residual, Unknown
from tests.physics.networks import X, network

NORMALS = np.tile([[1.0, 0.0]], (24, 1))


def heat(f, k):
    return f.d("t") - k * f.d("xx")


def plain(f, k=0.5, *, rate=2.0):
    return f.d("t") - k * rate * f.d("xx")


def _train(*terms, x=X, model=None):
    model = model or network()
    model.compile("sgd", Objective(list(terms)))
    model.fit(x, verbose=0)


@pytest.mark.host("said before anything is computed")
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Residual("heat"), "must be a function of a field"),
        (lambda: Residual(lambda: 0), "takes none"),
        (lambda: Residual(heat, fixed={"c": 1}), "no argument 'c' after the field. It has: k"),
        (lambda: Objective([Residual(heat)]), r"asks for 'k'.*add Unknown\(1.0, 'k'\).*fixed=\{'k': ...\}"),
        (lambda: Objective([Residual(heat), Unknown(1.0, "nu")]), "asks for 'k'.*There is: nu, x, y"),
        (lambda: Residual(heat, points=[[np.nan, 0]]), "`points` must be finite"),
        (lambda: Unknown("1", "nu"), "`initial` must be a number"),
        (lambda: Unknown(1.0, "y"), "name of an argument"),
        (lambda: Unknown(1.0, "n u"), "name of an argument"),
        (lambda: Objective([Unknown(1.0, "nu")]), "at least one term"),
        (lambda: Objective([Residual(heat, fixed={"k": 1}), Unknown(1.0, "nu")]), "No term asks for the unknown 'nu'"),
        (lambda: Objective(["mse", Unknown(1.0)]), "Give it the name"),
        (lambda: Objective({"a": "mse", "b": Unknown(1.0, "nu")}), "has another name, 'nu'"),
        (
            lambda: Objective({"heat": Residual(heat), "k": Unknown(1.0)}, weights=[1.0, 1.0]),
            "one weight for each of the 1 terms",
        ),
        (lambda: Condition([], 0.0), "at least one point"),
        (lambda: Condition([["a", "b"]], 0.0), "array of points"),
        (lambda: Condition(np.zeros((2, 2, 2)), 0.0), r"shape \(N, axes\).*\(2, 2, 2\)"),
        (lambda: Condition(X, np.zeros(3)), r"one for each of its 24 points.*shape \(3,\)"),
        (lambda: Condition(X, lambda p: p), r"one for each of its 24 points.*shape \(24, 2\)"),
        (lambda: Condition(X, np.nan), "must be finite"),
        (lambda: Condition(X, 0.0, "cauchy"), "must be one of 'dirichlet', 'neumann'"),
        (lambda: Condition(X, 0.0, "neumann"), "needs normals"),
        (lambda: Condition(X, 0.0, "neumann", normals=X), "length 1"),
        (lambda: Condition(X, 0.0, "neumann", normals=NORMALS[:3]), r"\(24, 2\). Received: normals of shape \(3, 2\)"),
        (lambda: Condition(X, 0.0, normals=NORMALS), "`normals` belongs to kind='neumann' or 'robin'"),
        (lambda: Condition(X, 0.0, "robin", normals=NORMALS, coefficients=1.0), "`coefficients` must be two numbers"),
        (lambda: Condition(X, 0.0, derivative="t"), "`derivative` belongs to kind='initial' or 'periodic'"),
        (lambda: Condition(X, kind="periodic"), "compares two sets of points"),
        (lambda: Condition((X, X[:3]), kind="periodic"), "as many points on one side"),
        (lambda: Objective([Condition(X, kind="periodic", axis="y", names="xt")]), "`axis` must be one of the 2 names"),
        (lambda: Objective([Condition(X[:1], kind="periodic", axis="x")]), "needs two ends"),
        (lambda: Objective([Condition(X), Condition(X[:, :1], name="b")]), r"the axes of the model.*'dirichlet': 2, 'b': 1"),
        (lambda: Objective([Residual(plain, points=X[:, :1]), Condition(X)]), r"the axes of the model.*'plain': 1"),
        (
            lambda: Objective([Residual(plain, names="tx"), Condition(X, names="xt")]),
            "in the order of the model's inputs, the same in all terms. Received: {'plain': 'tx', 'dirichlet': 'xt'}",
        ),
        (lambda: HardConstraint(0.0), "must be a function of the coordinates"),
        (
            lambda: HardConstraint(lambda x: x)(np.zeros((3, 2)), np.zeros((3, 1))),
            r"`distance` must return .* returned \(3, 2\)",
        ),
    ],
)
def test_what_is_seen_before_training(make, says):
    with pytest.raises((ValueError, TypeError), match=says):
        make()


@pytest.mark.host("the same Python code in front of each backend")
@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="names no size: its compiled steps know none")
@pytest.mark.parametrize(
    ("pde", "says"),
    [
        (lambda f: None, "returned nothing"),
        (lambda f: ops.mean(f.u), r"one number a point, shape \(24,\). It returned shape \(\)"),
        (
            lambda f: f.u * ops.reshape(f["x"], (-1, 1)),
            r"It returned shape \(24, 24\).*where such a tensor meets one of shape \(24, 1\)",
        ),
        (lambda f: f.d("z"), "no derivative 'z'. The coordinates are 'x', 't'"),
        (lambda f: f.d("x", "v"), "no output 'v'"),
        (lambda f: [f.u, f.d("x")[:3]], r"returned shape \(3,\)"),
    ],
)
def test_equations_that_return_something_else(pde, says):
    with pytest.raises((ValueError, TypeError), match=says):
        _train(Residual(pde))


def _blind():
    inputs = keras.Input((2,))
    return Model(inputs, keras.layers.Dense(1)(keras.layers.Dense(4, activation="tanh")(inputs[:, :1])))


def _normalised():
    inputs = keras.Input((2,))
    return Model(inputs, keras.layers.Dense(1)(keras.layers.BatchNormalization()(inputs)))


@pytest.mark.parametrize(
    ("model", "says"), [(_blind, "Nothing depends on the coordinate 't'"), (_normalised, "statistics of the batch")]
)
def test_models_that_have_no_such_derivative(model, says):
    """Where the step is compiled, too."""
    with pytest.raises(ValueError, match=says):
        _train(Residual(heat, fixed={"k": 1.0}), model=model())


@pytest.mark.host("the names of arguments")
def test_arguments_of_an_equation_keep_their_defaults():
    """Unless the objective has them: an unknown, a number that is fixed, labels."""
    alone = Objective([Residual(plain, names="xt")])
    learned = Objective([Residual(plain, fixed={"rate": 3.0}), Unknown(1.0, "k")])
    assert [objective.terms[0].takes for objective in (alone, learned)] == [(), ("k",)]
    assert Objective.from_config(learned.get_config()).terms[0].takes == ("k",)


@pytest.mark.host("an objective keeps its unknowns, whatever the backend is")
def test_an_unknown_belongs_to_one_model():
    nu = Unknown(1.0, "k")
    with pytest.raises(ValueError, match="has no value yet"):
        float(nu)
    _train(Residual(heat), nu)
    with pytest.raises(ValueError, match="variable of another objective already"):
        _train(Residual(heat), nu)


@pytest.mark.host("what a function is, before anything is computed")
def test_equations_that_cannot_be_saved(tmp_path):
    model = network()
    model.compile("sgd", Objective([Residual(lambda f: f.d("t"), name="late")]))
    with pytest.warns(UserWarning, match="A lambda cannot be found again"):
        model.save(tmp_path / "m.keras")
    assert not keras.saving.load_model(tmp_path / "m.keras").compiled
    with pytest.raises(ValueError, match="neither a function nor an object"):
        Residual(functools.partial(heat, k=1.0)).get_config()
