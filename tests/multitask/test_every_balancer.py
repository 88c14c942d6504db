"""What every strategy for several tasks promises; a row of `BALANCERS` each, on two replicas too (tests/distribution)."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import multitask
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
