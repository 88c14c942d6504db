"""Short trainings that leave a model as it was."""

import contextlib

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.checks.engine.finding import Inconclusive
from kerasmith.checks.harness.trial import Trial, fresh_weights

X = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
Y = X[:, :1] - 2 * X[:, 1:2]
BATCH = (X, Y, None)


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.head = keras.layers.Dense(4), keras.layers.Dense(1)
        self.drop = keras.layers.Dropout(0.5)

    def call(self, inputs, training=None):
        return {"out": self.head(self.drop(self.hidden(inputs), training=training))}


def compiled():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.BatchNormalization()(inputs)))
    model.compile(keras.optimizers.SGD(0.01), "mse", metrics=["mae"])
    return model


def values(model):
    return [np.array(ops.convert_to_numpy(v)) for v in [*model.variables, *model.optimizer.variables]]


@pytest.mark.heavy("trains a compiled model", on=("jax", "tensorflow"), seconds=6)
def test_a_trial_trains_and_the_model_stays_as_it_was():
    model = compiled()
    before, attributes, shared = values(model), set(vars(model)), {}
    slow, quick = Trial(model, shared=shared), Trial(model, lr=0.1, shared=shared)
    first, second = slow.run(20, [BATCH]), quick.run(20, [BATCH])
    assert first[0] == pytest.approx(second[0], rel=1e-5)
    assert second[-1] < 0.5 * first[-1] < 0.5 * first[0]
    assert slow.run(1, [BATCH])[0] < first[-1]
    assert not np.allclose(slow.predict(X)[0], quick.predict(X)[0])
    for a, b in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(a, b)
    assert set(vars(model)) - attributes <= {"_loss_tracker"}


@pytest.mark.heavy("trains a compiled model", on=("jax", "tensorflow"), seconds=4)
def test_the_gradient_is_that_of_the_loss():
    model = compiled()
    model.layers[1].trainable = False
    kernel = ops.convert_to_numpy(model.layers[2].kernel).astype("float64")
    # A frozen batch normalization uses its moving statistics, which are 0 and 1 at first.
    normal = X / np.sqrt(1 + model.layers[1].epsilon)
    wanted = 2 * normal.T @ (normal @ kernel - Y) / len(X)
    found = {variable.path: gradient for variable, gradient in Trial(model).gradients(*BATCH)}
    np.testing.assert_allclose(found[model.layers[2].kernel.path], wanted, rtol=1e-4, atol=1e-5)
    assert len(found) == 2


@pytest.mark.heavy("trains models in many ways", on=("jax", "tensorflow"), seconds=8)
def test_a_model_of_an_own_class_with_another_loss_activation_and_input():
    model = Own()
    model.compile("sgd", {"out": "mse"})
    batch = (X, {"out": Y}, None)

    @contextlib.contextmanager
    def squashed(model):
        model.head.activation = keras.activations.tanh
        try:
            yield
        finally:
            model.head.activation = keras.activations.linear

    model(X)
    assert np.abs(Trial(model, around=squashed).predict(X)[0]).max() <= 1
    np.testing.assert_allclose(Trial(model, scale_x=lambda x: 2 * x).predict(X)[0], Trial(model).predict(2 * X)[0], rtol=1e-4)
    shift = Trial(model, lr=0.1, loss=lambda y, p, w: ops.mean(ops.square(p["out"] - 3)))
    assert shift.run(40, [batch])[-1] < 2
    assert shift.predict(X)[0].mean() > 1
    start = fresh_weights(model, seed=3)
    fresh = Trial(model, start=start).predict(X)[0]
    hidden, head = start[id(model.hidden.kernel)], start[id(model.head.kernel)]
    np.testing.assert_allclose(fresh, X @ hidden @ head, rtol=1e-3, atol=1e-4)


@pytest.mark.heavy("trains a compiled model", on=("jax", "tensorflow"), seconds=2)
def test_a_step_of_the_users_own_has_no_other_rate():
    class Stepping(keras.Sequential):
        def train_step(self, *args):
            return super().train_step(*args)

    model = Stepping([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    losses = Trial(model).run(3, [BATCH])
    assert losses[2] < losses[0]
    with pytest.raises(Inconclusive, match="train_step"):
        Trial(model, lr=0.1).run(1, [BATCH])
