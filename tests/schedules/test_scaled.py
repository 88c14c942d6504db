"""Scaled against the product, saved and in training."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.schedules import CosineRestarts
from kerasmith.schedules.scaled import Scaled


def rates(schedule, steps=12):
    return np.array([float(ops.convert_to_numpy(schedule(step))) for step in range(steps)])


@pytest.mark.parametrize(
    "inner", [CosineRestarts(T_0=5, eta_max=0.8), keras.optimizers.schedules.ExponentialDecay(0.3, 4, 0.5)]
)
def test_is_the_product(inner):
    np.testing.assert_allclose(rates(Scaled(inner, 0.3)), 0.3 * rates(inner), rtol=1e-6)
    np.testing.assert_allclose(rates(Scaled(Scaled(inner, 0.5), 0.2)), 0.1 * rates(inner), rtol=1e-6)


def test_of_a_number():
    np.testing.assert_allclose(rates(Scaled(0.2, 0.5)), 0.1, rtol=1e-6)


def test_survives_its_config():
    scaled = Scaled(CosineRestarts(T_0=5, T_mult=2, eta_max=0.8), 0.25)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(scaled))
    assert (type(again), again.factor, again.schedule.T_mult) == (Scaled, 0.25, 2)
    np.testing.assert_array_equal(rates(again), rates(scaled))


def test_trains_and_loads(tmp_path):
    scaled = Scaled(CosineRestarts(T_0=9, eta_max=0.4), 0.5)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(scaled), "mse")
    model.fit(np.ones((4, 1)), np.zeros((4, 1)), batch_size=2, verbose=0)
    weight = 1.0
    for rate in rates(scaled, 2):
        weight -= rate * 2 * weight
    assert float(model.get_weights()[0][0, 0]) == pytest.approx(weight, rel=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert float(ops.convert_to_numpy(again.optimizer.learning_rate)) == pytest.approx(rates(scaled)[2])


@pytest.mark.parametrize(("arguments", "error", "words"), [
    (("cosine", 0.1), TypeError, "schedule"),
    ((0.1, "half"), TypeError, "factor"),
    ((0.1, -1), ValueError, "factor"),
    ((0.1, float("nan")), ValueError, "factor"),
])  # fmt: skip
def test_bad_input(arguments, error, words):
    with pytest.raises(error, match=words):
        Scaled(*arguments)
