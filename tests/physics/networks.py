"""A network of one hidden layer, its derivatives in closed form, and a compiler for each backend."""

import keras
import numpy as np
from keras import ops

from kerasmith import Model

RNG = np.random.default_rng(5)
X = RNG.uniform(-1, 1, (24, 2)).astype("float32")


def network(outputs=1, hidden=6, seed=2):
    """A model of x and t: dense, tanh, dense."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((2,))
    bias = keras.initializers.RandomNormal(stddev=0.3, seed=seed)
    layer = keras.layers.Dense(hidden, activation="tanh", name="hidden", bias_initializer=bias)
    return Model(inputs, keras.layers.Dense(outputs, name="out", bias_initializer=bias)(layer(inputs)))


def closed_form(model, x, axes, output=0):
    """The derivative by the axes in float64: the sum over j of v_j tanh^(n)(w_j x + b_j) times the weights of the axes."""
    w, b, v, c = (np.asarray(array, "float64") for array in model.get_weights())
    a = np.tanh(np.asarray(x, "float64") @ w + b)
    of_tanh = {  # the derivatives of tanh as polynomials in tanh
        0: a,
        1: 1 - a**2,
        2: -2 * a * (1 - a**2),
        3: (1 - a**2) * (6 * a**2 - 2),
        4: (1 - a**2) * (16 * a - 24 * a**3),
    }[len(axes)]
    factors = np.prod([w[axis] for axis in axes], axis=0) if axes else 1.0
    return (of_tanh * factors) @ v[:, output] + (c[output] if not axes else 0.0)


def compiled(function):
    """A function of one tensor, compiled where the backend compiles."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.jit(function)
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function)
    return function


def array(tensor):
    return ops.convert_to_numpy(ops.stop_gradient(tensor))


def close(found, wanted, tolerance=2e-5):
    """Whether they agree, as parts of the largest value."""
    wanted = np.asarray(wanted)
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance * max(np.abs(wanted).max(), 1e-3))


def branched(seed=2):
    """The same network in a form that is no chain of layers: the hidden layer in two halves."""
    whole = network(seed=seed)
    inputs = keras.Input((2,))
    halves = [keras.layers.Dense(3, activation="tanh")(inputs) for _ in range(2)]
    model = Model(inputs, keras.layers.Dense(1)(keras.layers.Concatenate()(halves)))
    w, b, v, c = whole.get_weights()
    model.set_weights([w[:, :3], b[:3], w[:, 3:], b[3:], v, c])
    return model, whole
