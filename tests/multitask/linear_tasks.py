"""A linear trunk with one linear head a task, squared errors, and the same in NumPy with gradients by hand."""

import keras
import numpy as np
from keras import ops

from kerasmith import Model, Objective, Tap

NAMES = ("a", "b", "c")
RATE = 0.1
# PyTorch runs eagerly, the others both ways.
JIT = [False] if keras.backend.backend() == "torch" else [False, True]


def data(samples=8, count=3, seed=0):
    """x (B, 3) and {task: (B, 1)}; tasks that pull a small trunk in different directions."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(samples, 3)).astype("float32")
    return x, {name: (3 * rng.normal(size=(samples, 1)) - 1).astype("float32") for name in NAMES[:count]}


def build(balance, *, count=3, weights=None, jit=False, tap="shared", seed=1, rate=RATE, dtype=None):
    """A compiled model with random weights that depend on `seed` alone."""
    dense = dict(use_bias=False, dtype=dtype)
    inputs = keras.Input((3,))
    shared = keras.layers.Dense(4, name="trunk", **dense)(inputs)
    shared = Tap(tap, dtype=dtype)(shared) if tap else shared
    model = Model(inputs, {name: keras.layers.Dense(1, name=name, **dense)(shared) for name in NAMES[:count]})
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape).astype("float32") for w in model.get_weights()])
    objective = Objective(dict.fromkeys(NAMES[:count], "mse"), weights=weights, balance=balance)
    model.compile(keras.optimizers.SGD(rate), objective, jit_compile=jit)
    return model


def fit(model, x, y, *, batch=8, epochs=1, **kwargs):
    return model.fit(x, y, batch_size=batch, epochs=epochs, shuffle=False, verbose=0, **kwargs).history


def weights_of(model):
    """[trunk (3, 4), heads (4, 1) in the order of the tasks] in float64."""
    heads = [model.get_layer(name) for name in NAMES if name in model.output_names]
    return [ops.convert_to_numpy(layer.kernel).astype("float64") for layer in (model.get_layer("trunk"), *heads)]


def losses(weights, x, y):
    """(K,) mean squared errors."""
    trunk, *heads = weights
    return np.array([np.mean((x @ trunk @ head - y[name]) ** 2) for name, head in zip(NAMES, heads, strict=False)])


def gradients_at_tap(weights, x, y):
    """(K, B * 4): d/dh of mean((h v - y)^2) = 2 / B (h v - y) v^T."""
    trunk, *heads = weights
    errors = [x @ trunk @ head - y[name] for name, head in zip(NAMES, heads, strict=False)]
    return np.stack([(2 / len(x) * error @ head.T).ravel() for error, head in zip(errors, heads, strict=True)])


def stepped(weights, x, y, combine, factors=None, rate=RATE):
    """The weights after one step of SGD: heads by their own gradients, the trunk by `combine` of those at the tap.

    Args:
        combine: (K, D) gradients of the weighted tasks -> (D,).
        factors: (K,) weights of the tasks.
    """
    trunk, *heads = weights
    factors = np.ones(len(heads)) if factors is None else np.asarray(factors, "float64")
    x = x.astype("float64")
    down = combine(factors[:, None] * gradients_at_tap(weights, x, y)).reshape(len(x), -1)
    new = [trunk - rate * x.T @ down]
    for name, head, factor in zip(NAMES, heads, factors, strict=False):
        hidden = x @ trunk
        new.append(head - rate * factor * 2 / len(x) * hidden.T @ (hidden @ head - y[name]))
    return new


def assert_weights(model, expected, rtol=2e-5):
    for got, wanted in zip(weights_of(model), expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=rtol, atol=rtol * np.abs(wanted).max())
