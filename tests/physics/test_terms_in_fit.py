"""Residuals, conditions and unknown coefficients in `fit` and `evaluate`: each column beside its closed form."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import Objective
from kerasmith.multitask import GradientSurgery
from kerasmith.physics import Box, Condition, HardConstraint, Residual, Unknown
from tests.physics.networks import RNG, X, branched, closed_form, network
from tests.physics.problems import NORMALS, POINTS, objective, problem, slanted

pytestmark = pytest.mark.heavy("trains a model, compiled for seconds", on=("tensorflow", "jax"), seconds=6)


def _expected(model, x, nu=0.3):
    """{column: value} in float64."""

    def d(points, *axes):
        return closed_form(model, points, axes)

    def wave(p):
        return d(p, 1, 1) - d(p, 0, 0) + 0.1 * p[:, 0]

    def slope(p):
        return d(p, 0) * NORMALS[:, 0] + d(p, 1) * NORMALS[:, 1]

    right, left = POINTS.copy(), POINTS.copy()
    left[:, 0], right[:, 0] = -1, 1
    left_over = {
        "burgers": d(x, 1) + d(x) * d(x, 0) - 2.0 * nu * d(x, 0, 0),
        "wave": wave(x),
        "elsewhere": wave(POINTS),
        "start": d(POINTS) - slanted(POINTS),
        "speed": d(POINTS, 1) - 0.5,
        "wall": slope(POINTS) - np.arange(6),
        "leak": 2 * d(POINTS) + 3 * slope(POINTS) - slanted(POINTS),
        "sides": d(POINTS) - d(POINTS + 1),
        "round": d(left, 0) - d(right, 0),
        "ends": d(POINTS) - 0.25,
    }
    found = {name: float(np.mean(value**2)) for name, value in left_over.items()}
    return {**found, "nu": nu, "loss": sum(found.values()) - 0.5 * found["burgers"]}


@pytest.mark.parametrize("is_chain", [True, False])
@pytest.mark.parametrize("how", [{"jit_compile": True}, {"jit_compile": False}, {"run_eagerly": True}], ids=str)
def test_each_column_beside_its_closed_form(how, is_chain):
    if keras.backend.backend() == "torch" and how.get("jit_compile"):
        pytest.skip("PyTorch's compiler takes minutes to find that there is nothing to compile")
    model, whole = (network(),) * 2 if is_chain else branched()
    model.compile(keras.optimizers.SGD(0.01), objective(), **how)
    expected = _expected(whole, X)
    assert model.evaluate(X, batch_size=8, verbose=0, return_dict=True) == pytest.approx(expected, rel=3e-5)
    history = model.fit(X, batch_size=len(X), epochs=2, verbose=0).history
    assert {name: values[0] for name, values in history.items()} == pytest.approx(expected, rel=3e-5)
    if is_chain:
        after = _expected(whole, X, float(model.objective.quantities[0]))
        assert model.evaluate(X, verbose=0, return_dict=True) == pytest.approx(after, rel=3e-5)
    assert history["loss"][1] < history["loss"][0]


def test_gradients_reach_weights_and_unknowns():
    """One step of gradient descent beside finite differences of the loss in float64."""
    model = network()
    model.compile(keras.optimizers.SGD(1.0), problem().objective.from_config(problem().objective.get_config()))
    before, nu = model.get_weights(), 0.3
    model.fit(X, batch_size=len(X), epochs=1, verbose=0)
    step = 1e-6

    def loss(change, nu_change=0.0):
        arrays = [np.asarray(a, "float64") for a in before]
        arrays[0][0, 1] += change

        class Moved:
            get_weights = staticmethod(lambda: arrays)

        return _expected(Moved, X.astype("float64"), nu + nu_change)["loss"]

    slope = (loss(step) - loss(-step)) / (2 * step)
    assert before[0][0, 1] - model.get_weights()[0][0, 1] == pytest.approx(slope, rel=2e-3)
    slope = (loss(0, step) - loss(0, -step)) / (2 * step)
    assert nu - float(model.objective.quantities[0]) == pytest.approx(slope, rel=2e-3)


def growth(f, y, rate, step=None):
    return f.d("t") - rate * y


def test_labels_unknowns_and_weights_of_samples():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((1,))
    from kerasmith import Model

    model = Model(inputs, keras.layers.Dense(1)(inputs))
    rate = Unknown(0.5)
    model.compile("sgd", Objective({"growth": Residual(growth, names="t"), "rate": rate}))
    t, y, w = X[:, :1], X[:, 1:], RNG.uniform(0, 1, len(X)).astype("float32")
    slope = float(ops.convert_to_numpy(model.weights[0])[0, 0])
    found = model.evaluate(t, y, sample_weight=w, batch_size=len(X), verbose=0, return_dict=True)
    assert found["growth"] == pytest.approx(np.mean(w * (slope - 0.5 * y[:, 0]) ** 2), rel=1e-5)
    model.fit(t, y, epochs=1, verbose=0)
    assert float(rate) != 0.5


def circle(x):
    return 1.0 - x[:, 0] ** 2 - x[:, 1] ** 2


def rim(x):
    return ops.stack([x[:, 0], x[:, 1]], axis=-1)


def system(f):
    return [f.d("x", "u") + f.d("y", "v"), f.d("y", "u") - f.d("x", "v")]


def test_values_that_hold_exactly_and_a_system_of_equations():
    from kerasmith import Model

    inputs = keras.Input((2,))
    hidden = keras.layers.Dense(5, activation="tanh")(inputs)
    model = Model(inputs, HardConstraint(circle, rim)(inputs, keras.layers.Dense(2)(hidden)))
    model.compile("adam", Objective([Residual(system, names="xy", outputs="uv")]))
    model.fit(X, epochs=2, verbose=0)
    angles = np.linspace(0, 6, 7)
    edge = np.stack([np.cos(angles), np.sin(angles)], -1).astype("float32")
    np.testing.assert_allclose(model.predict(edge, verbose=0), edge, atol=1e-6)
    plain = network(outputs=2)
    plain.compile("adam", Objective([Residual(system, names="xy", outputs="uv")]), run_eagerly=True)
    (u_x, u_y), (v_x, v_y) = ([closed_form(plain, X, (axis,), output) for axis in (0, 1)] for output in (0, 1))
    found = plain.evaluate(X, batch_size=len(X), verbose=0, return_dict=True)
    assert found["system"] == pytest.approx(np.mean((u_x + v_y) ** 2 + (u_y - v_x) ** 2), rel=3e-5)


def late(f):
    return f.d("t") - f.u


def test_mixed_precision_and_an_own_training_step():
    """A forward pass that the step has not made itself is made by the residual."""
    from kerasmith import Model

    class OwnStep(Model):
        def __init__(self, inner, **kwargs):
            super().__init__(**kwargs)
            self.inner = inner

        def call(self, x, training=None):
            return self.inner(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return super().compute_loss(x * 1.0, y, ops.stop_gradient(y_pred), sample_weight, training)

    keras.config.set_dtype_policy("mixed_float16")
    try:
        inner = network()
    finally:
        keras.config.set_dtype_policy("float32")
    model = OwnStep(inner)
    model.compile("adam", Objective([Residual(late), Condition(POINTS, 1.0)]))
    found = model.evaluate(X, batch_size=len(X), verbose=0, return_dict=True)
    left = closed_form(inner, X, (1,)) - closed_form(inner, X, ())
    assert found["late"] == pytest.approx(np.mean(left**2), rel=5e-3)
    history = model.fit(X, epochs=3, verbose=0).history
    assert np.isfinite(history["loss"]).all()


def test_equations_take_the_names_of_the_points_of_conditions():
    def laplace(f):
        return f.d("xx") + f.d("yy")

    objective = Objective([Residual(laplace), Condition(Box([0, 0], [1, 1], names="xy").boundary(4), 0.0)])
    assert "".join(objective.terms[0].names) == "xy"


def test_a_balancer_at_a_tap_leaves_conditions_at_their_own_points():
    from kerasmith import Model, Tap

    inputs = keras.Input((2,))
    hidden = Tap("shared")(keras.layers.Dense(4, activation="tanh")(inputs))
    model = Model(inputs, keras.layers.Dense(1)(hidden))
    terms = [Residual(late), Condition(POINTS, 1.0)]
    model.compile("adam", Objective(terms, balance=GradientSurgery("pcgrad")))
    assert np.isfinite(model.fit(X, epochs=1, verbose=0).history["loss"]).all()
