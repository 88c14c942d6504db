"""Weights of a plain model in one with an objective and the other way round; what the objective has learned goes along."""

import pickle

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import Model, Objective, Term
from kerasmith.multitask import DWA
from tests.objectives.user_models import LayersInInit, PlainKeras, X, array


class Scaled(keras.layers.Layer):
    """A term with a weight of its own."""

    def __init__(self):
        super().__init__()
        self.build()

    def build(self, *_):
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
        self.built = True

    def call(self, y, y_pred):
        return ops.mean(ops.abs(y - y_pred), axis=-1) * self.scale


def network(kind, seed):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((3,))
    return kind(inputs, keras.layers.Dense(1, name="last")(keras.layers.Dense(4, name="first")(inputs)))


def sequential(seed):
    keras.utils.set_random_seed(seed)
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(1)])


def subclassed(kind, seed):
    keras.utils.set_random_seed(seed)
    model = kind()
    model(X)
    return model


OBJECTIVES = {
    "one": lambda: Objective({"fit": "mse"}),
    "learned": lambda: Objective({"fit": "mse", "size": Term("mae", weight="learned")}),
    "layer": lambda: Objective({"fit": "mse", "scaled": Scaled()}),
    "balance": lambda: Objective({"fit": "mse", "size": "mae"}, balance=DWA()),
}
# (a plain model, one that is compiled with an objective), of other weights each.
PAIRS = {
    "functional": (lambda: network(keras.Model, 0), lambda objective: compiled(network(Model, 1), objective)),
    "sequential": (lambda: sequential(0), lambda objective: objective.attach(sequential(1), "sgd")),
    "subclass": (lambda: subclassed(PlainKeras, 0), lambda objective: compiled(subclassed(LayersInInit, 1), objective)),
    "wrapped": (lambda: subclassed(PlainKeras, 0), lambda objective: wrapped(objective)),
}


def compiled(model, objective):
    model.compile("sgd", objective)
    return model


def wrapped(objective):
    model = objective.attach(subclassed(PlainKeras, 1), "sgd")
    model(X)
    return model


def moved(model):
    """The model, with a state of the objective that is not that of the beginning."""
    for number, variable in enumerate(model.objective.variables, start=2):
        variable.assign(ops.cast(ops.full(variable.shape, number), variable.dtype))
    return model


def state(model):
    return [array(variable) for variable in model.objective.variables]


def assert_same(got, expected):
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "kind", [("functional", name) for name in OBJECTIVES] + [(name, "learned") for name in PAIRS], ids=str
)
def test_weights_of_a_plain_model(kind, tmp_path):
    make_plain, make = PAIRS[kind[0]]
    plain = make_plain()
    expected = [array(variable) for variable in plain.weights]
    plain.save_weights(tmp_path / "plain.weights.h5")
    for take in (
        lambda model: model.load_weights(tmp_path / "plain.weights.h5"),
        lambda model: model.set_weights(plain.get_weights()),
    ):
        model = moved(make(OBJECTIVES[kind[1]]()))
        before = state(model)
        take(model)
        np.testing.assert_array_equal(array(model(X)), array(plain(X)))
        assert_same(model.get_weights(), expected)
        assert_same(state(model), before)
    plain.set_weights([0 * array for array in expected])
    plain.set_weights(model.get_weights())
    np.testing.assert_array_equal(array(model(X)), array(plain(X)))
    model.save_weights(tmp_path / "ours.weights.h5")
    model.save(tmp_path / "ours.keras")
    for path in tmp_path.glob("ours.*"):
        plain.set_weights([0 * array for array in expected])
        plain.load_weights(path)
        np.testing.assert_array_equal(array(model(X)), array(plain(X)))
    other = make(OBJECTIVES[kind[1]]())
    other.load_weights(tmp_path / "ours.weights.h5")
    assert_same(state(other), before)


def test_what_is_learned_goes_along():
    model = moved(network_with("learned"))
    before, arrays = state(model), model.get_weights()
    assert len(arrays) == 4
    for taken in (arrays, pickle.loads(pickle.dumps(arrays)), [*arrays, *arrays.objective]):
        for variable in model.variables:
            variable.assign(ops.zeros(variable.shape, variable.dtype))
        model.set_weights(taken)
        assert_same(state(model), before)
        assert_same(model.get_weights(), arrays)
    other = moved(network_with("balance"))  # whose state is another
    before = state(other)
    other.set_weights(arrays)
    assert_same(other.get_weights(), arrays)
    assert_same(state(other), before)


def network_with(name):
    return compiled(network(Model, 1), OBJECTIVES[name]())


def test_another_objective_and_other_layers_are_refused(tmp_path):
    network_with("learned").save_weights(tmp_path / "a.weights.h5")
    other = network_with("balance")
    with pytest.raises(ValueError, match=r"objective of other terms.*skip_mismatch=True"):
        other.load_weights(tmp_path / "a.weights.h5")
    with pytest.warns(UserWarning, match="objective"):
        other.load_weights(tmp_path / "a.weights.h5", skip_mismatch=True)
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)]).save_weights(tmp_path / "b.weights.h5")
    with pytest.raises(ValueError, match="last"):
        other.load_weights(tmp_path / "b.weights.h5")
    with pytest.raises(ValueError, match=r"4 weights.*Received: 3 arrays"):
        other.set_weights(other.get_weights()[:3])
