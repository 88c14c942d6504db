"""A chain of dense layers is derived forward through its layers: the same as going backwards through the operations."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import Model, Objective
from kerasmith.physics import Condition, Field, Residual
from kerasmith.physics.dense_network import OfDenseNetwork
from tests.physics.networks import X, array, close, compiled

AXES = [axes for order in range(1, 5) for axes in itertools.combinations_with_replacement((0, 1), order)]


def chain(*activations, **arguments):
    keras.utils.set_random_seed(3)
    inputs = x = keras.Input((2,))
    for activation in activations:
        bias = keras.initializers.RandomNormal(stddev=0.3, seed=1)
        x = keras.layers.Dense(5, activation=activation, bias_initializer=bias, **arguments)(x)
    return Model(inputs, keras.layers.Dense(2)(x))


def all_derivatives(source):
    def found(x):
        field = Field(source, x, names="xt", outputs="uv")
        return ops.stack([field.derivative(axes, k) for k in (0, 1) for axes in AXES])

    return array(compiled(found)(ops.convert_to_tensor(X[:4])))


@pytest.mark.heavy("compiles every derivative of a network", on=("tensorflow", "jax"), seconds=5)
@pytest.mark.parametrize(
    "activations", [("tanh", "sigmoid"), (ops.sin, None, "tanh")], ids=["tanh_sigmoid", "sine_linear_tanh"]
)
def test_all_derivatives_are_those_of_the_backend(activations):
    model = chain(*activations)
    assert isinstance(Field(model, X)._derivatives, OfDenseNetwork)
    # A function knows no layers.
    close(all_derivatives(model), all_derivatives(lambda x: model(x)), 1e-4)


def test_what_is_no_plain_chain_is_derived_as_ever():
    noisy, half = chain("tanh"), chain("tanh", dtype="mixed_bfloat16")
    noisy.layers[1].activity_regularizer = keras.regularizers.L2(0.1)
    for model in (chain("relu"), noisy, half):
        assert not isinstance(Field(model, X)._derivatives, OfDenseNetwork)
        assert Field(model, X, outputs="uv").d("x", "u").shape == (24,)


def bend(f):
    return f.d("xx") + f.d("t") - f.u


@pytest.mark.heavy("trains two models, compiled for seconds", on=("tensorflow", "jax"), seconds=6)
def test_it_trains_as_a_network_in_other_layers():
    def model(apart):
        keras.utils.set_random_seed(4)
        inputs = keras.Input((2,))
        x = keras.layers.Dense(6, activation=None if apart else "tanh")(inputs)
        x = keras.layers.Activation("tanh")(x) if apart else x
        built = Model(inputs, keras.layers.Dense(1)(x))
        built.compile(keras.optimizers.SGD(0.01), Objective([Residual(bend), Condition(X[:3], 1.0)]))
        return built, built.fit(X, batch_size=8, epochs=2, shuffle=False, verbose=0).history

    (one, rows), (other, wanted) = model(False), model(True)
    for name, values in wanted.items():
        np.testing.assert_allclose(rows[name], values, rtol=1e-4)
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
