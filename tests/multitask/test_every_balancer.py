"""What every strategy for several tasks promises; a row of `BALANCERS` each, on two replicas too (tests/distribution)."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import Model, Objective, multitask
from tests.objectives.replicated import BALANCERS, balanced_model

X = np.random.default_rng(0).random((12, 4, 4, 1), "float32")
Y = (X > 0.6).astype("float32")


def fit(model):
    return model.fit(X, Y, batch_size=5, epochs=2, shuffle=False, verbose=0).history


def test_every_strategy_has_a_row():
    exported = {kind for kind in vars(multitask).values() if isinstance(kind, type) and issubclass(kind, multitask.Balancer)}
    assert exported - {multitask.Balancer} == {type(make()) for make in BALANCERS.values()}


@pytest.mark.parametrize("name", BALANCERS)
def test_configuration_is_kept(name):
    strategy = BALANCERS[name]()
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(strategy))
    assert type(again) is type(strategy)
    assert again.get_config() == strategy.get_config()


@pytest.mark.parametrize("name", BALANCERS)
def test_training_goes_on_after_saving(name, tmp_path):
    model = balanced_model(name)
    before = fit(model)
    assert np.isfinite([*before["loss"], *before["fit"], *before["against"]]).all()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    expected, got = fit(model), fit(again)
    assert got.keys() == expected.keys()
    for column, values in expected.items():
        np.testing.assert_allclose(got[column], values, rtol=1e-5, err_msg=column)
    for ours, theirs in zip(again.weights, model.weights, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", BALANCERS)
def test_evaluation_changes_no_state(name):
    model = balanced_model(name)
    fit(model)
    before = [ops.convert_to_numpy(w) for w in model.weights]
    model.evaluate(X, Y, batch_size=4, verbose=0)
    for old, new in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, ops.convert_to_numpy(new))


def test_methods_with_the_names_of_the_version_before_still_work():
    with pytest.warns(DeprecationWarning, match=r"`Even.observe` .* Call it `update_from_losses`\.") as warned:

        class Even(multitask.Balancer):
            def create_state(self, count):
                self.seen = self.add_state("even_seen", (count,))

            def observe(self, values, samples, is_first):
                self.seen.assign(values)

            def factors(self):
                return ops.ones((self.count,))

    assert warned[0].filename == __file__
    model = Model(inputs := keras.Input((3,)), keras.layers.Dense(1)(inputs))
    model.compile("sgd", Objective({"a": "mse", "b": "mae"}, balance=Even()))
    history = model.fit(np.ones((4, 3), "float32"), np.ones((4, 1), "float32"), verbose=0).history
    np.testing.assert_allclose(model.objective.balance.seen, [history["a"][0], history["b"][0]], rtol=1e-5)
