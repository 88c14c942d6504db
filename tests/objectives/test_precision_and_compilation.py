"""Half and double precision, compiled and eager steps, and every way in which batches arrive: one training run."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import Model, Objective, Tap, Term
from kerasmith.losses import CrossEntropy
from tests.objectives.helpers import SGD, assert_trains_as, close, fit, samples, trained, weights_of
from tests.support import float64

BACKEND = keras.backend.backend()
X, VAL_X = samples((7, 3), (5, 3))
Y, VAL_Y = samples((7, 2), (5, 2), seed=1)
DATA, VALIDATION = (X, Y), (VAL_X, VAL_Y)


def small(features):
    return ops.mean(ops.square(features["hidden"]), axis=-1)


def mirrored(x, y_pred, model, training):
    return ops.mean(ops.square(ops.add(y_pred, model(-x, training=training))), axis=-1)


def root(y, y_pred):  # a scalar
    return ops.sqrt(ops.mean(ops.square(y - y_pred)))


def network(dtype=None, dropout=0.0):
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(2, activation="tanh", kernel_regularizer="l2", bias_initializer="normal", dtype=dtype)(inputs)
    hidden = (
        keras.layers.Dropout(dropout, dtype=dtype)(Tap("hidden", dtype=dtype)(hidden)) if dropout else Tap("hidden")(hidden)
    )
    return Model(inputs, keras.layers.Dense(2, dtype=dtype)(hidden))


def objective():
    decay = keras.optimizers.schedules.CosineDecay(1.0, 12)
    return Objective(
        {
            "fit": Term("mse", weight="learned"),
            "small": Term(small, weight=0.3),
            "mirrored": Term(mirrored, weight=decay),
            "root": Term(root, weight=0.7),
        }
    )


def compiled(model, optimizer=None, **kwargs):
    model.compile(optimizer or keras.optimizers.SGD(0.1), objective(), **kwargs)
    return model


def in_numpy(w, x, y, step, training):
    """`network` and `objective` written out."""
    hidden, s = np.tanh(x @ w[0] + w[1]), w[4]
    p, back = hidden @ w[2] + w[3], np.tanh(-x @ w[0] + w[1]) @ w[2] + w[3]
    decay = (1 + np.cos(np.pi * min(step, 12) / 12)) / 2
    fit, small, mirrored = np.mean((y - p) ** 2), np.mean(hidden**2), np.mean((p + back) ** 2)
    total = np.exp(-s) / 2 * fit + s / 2 + 0.3 * small + decay * mirrored + 0.7 * np.sqrt(fit) + 0.01 * np.sum(w[0] ** 2)
    columns = {"fit": fit, "small": small, "mirrored": mirrored, "root": np.sqrt(fit)}
    return {"loss": total, **columns, "fit_weight": np.exp(-s) / 2, "mirrored_weight": decay}


# --- precision ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def policy():
    before, floatx = keras.config.dtype_policy(), keras.config.floatx()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)
    keras.config.set_floatx(floatx)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_is_near_single(policy, dtype):
    policy(dtype)
    scaled = keras.optimizers.LossScaleOptimizer
    assert isinstance(compiled(network()).optimizer, scaled) == (dtype == "mixed_float16")
    # With Keras' own first scale, 2^15, a gradient above 2 is infinite and its step left out.
    sgd = keras.optimizers.SGD(0.1)
    model = compiled(network(), scaled(sgd, initial_scale=1024) if dtype == "mixed_float16" else sgd)
    assert {w.dtype for w in model.weights} == {"float32", "int32"}
    expected, history = trained(in_numpy, weights_of(model), DATA, SGD(0.1), epochs=3, validation=VALIDATION)
    tolerance = {"mixed_float16": 1e-2, "mixed_bfloat16": 4e-2}[dtype]
    close(fit(model, DATA, validation=VALIDATION, epochs=3), history, rtol=tolerance, atol=tolerance / 10)
    close(weights_of(model), expected, rtol=tolerance, atol=tolerance / 4)


def test_float16_keeps_gradients_that_only_loss_scaling_saves(policy):
    """Gradients of 1e-8 are 0 in float16; terms and total stay in float32, and the scale reaches the whole total."""
    policy("mixed_float16")
    inputs = keras.Input((3,))
    model = Model(inputs, keras.layers.Dense(2)(inputs))
    model.compile(keras.optimizers.SGD(1e4), Objective({"fit": Term("mse", weight=1e-8), "tiny": Term(root, weight=1e-8)}))
    before = weights_of(model)

    def columns(w, x, y, step, training):
        fit = np.mean((y - x @ w[0] - w[1]) ** 2)
        return {"loss": 1e-8 * (fit + np.sqrt(fit)), "fit": fit, "tiny": np.sqrt(fit)}

    expected, history = trained(columns, before, DATA, SGD(1e4), size=7)
    close(fit(model, DATA, size=7), history, rtol=2e-3)
    got = [(a - b) * 1e4 for a, b in zip(weights_of(model), before, strict=True)]
    close(got, [(a - b) * 1e4 for a, b in zip(expected, before, strict=True)], rtol=0.02, atol=0.01)


def test_sums_of_half_precision_do_not_overflow(policy):
    policy("mixed_float16")
    inputs = keras.Input((3,))
    model = Model(inputs, keras.layers.Dense(2, kernel_initializer="ones")(inputs))
    model.compile(keras.optimizers.SGD(0.0), Objective({"size": Term(large, reduction="sum"), "fit": "mae"}))
    got = model.evaluate(X * 0 + 100, Y * 0, verbose=0, return_dict=True)
    close(got, {"loss": 7 * 60000 + 300.0, "size": 7 * 60000.0, "fit": 300.0})  # more than 65504


def large(y_pred):
    return ops.mean(y_pred, axis=-1) * 200.0


def test_double_precision(policy):
    """Labels and weights of terms too: nothing passes through float32 on the way to the gradient."""
    with float64.enabled():
        policy("float64")
        keras.config.set_floatx("float64")
        inputs = keras.Input((3,))
        model = Model(inputs, keras.layers.Dense(2)(inputs))
        terms = {"fit": Term("mse", weight=0.3), "root": Term(root, weight=0.7), "fine": Term(fine, weight=0.1)}
        model.compile(keras.optimizers.SGD(0.1), Objective(terms))

        def columns(w, x, y, step, training):
            p = x @ w[0] + w[1]
            fit, cubes = np.mean((y - p) ** 2), np.mean(np.abs(p) ** 3)
            total = 0.3 * fit + 0.7 * np.sqrt(fit) + 0.1 * cubes
            return {"loss": total, "fit": fit, "root": np.sqrt(fit), "fine": cubes}

        expected, history = trained(columns, weights_of(model), DATA, SGD(0.1), epochs=2)
        got = fit(model, DATA, epochs=2)
        close(got, history, rtol=2e-7)  # means of metrics are float32
        # Keras multiplies matrices in float32 on JAX and PyTorch, whatever their dtype.
        close(weights_of(model), expected, rtol=0, atol=1e-9 if BACKEND == "tensorflow" else 2e-7)


def fine(y_pred):
    return ops.abs(y_pred) ** 3


# --- compilation ----------------------------------------------------------------------------------------------------------

# PyTorch is eager; jit_compile=True means torch.compile there, which needs a C++ compiler.
MODES = {
    "eager": {"run_eagerly": True},
    "graph": {"jit_compile": False},
    **({} if BACKEND == "torch" else {"jit": {"jit_compile": True}}),
    **({} if BACKEND == "torch" else {"3 steps at once": {"steps_per_execution": 3}}),
}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_the_run_in_numpy(mode):
    """Steps_per_execution with 7 batches: the last execution has one."""
    size = 1 if "steps_per_execution" in MODES[mode] else 3
    assert_trains_as(compiled(network(), **MODES[mode]), in_numpy, DATA, validation=VALIDATION, size=size)


def as_dataset(x, y):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((x, y)).batch(3)


class Batches(keras.utils.PyDataset):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self):
        return 3

    def __getitem__(self, i):
        return self.x[3 * i : 3 * i + 3], self.y[3 * i : 3 * i + 3]


def as_generator(x, y):
    while True:
        for i in range(3):
            yield x[3 * i : 3 * i + 3], y[3 * i : 3 * i + 3]


@pytest.mark.parametrize("data", [as_dataset, Batches, as_generator])
def test_batches_of_unknown_size_from_any_source(data):
    model = compiled(network())
    expected, history = trained(in_numpy, weights_of(model), DATA, SGD(0.1), epochs=2)
    steps = 3 if data is as_generator else None
    close(model.fit(data(X, Y), epochs=2, steps_per_epoch=steps, shuffle=False, verbose=0).history, history)
    close(weights_of(model), expected)


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_accumulated_gradients_are_those_of_the_large_batch(optimizer):
    """For terms that are means of samples: a root of the mean is not the mean of two roots."""
    make = getattr(keras.optimizers, optimizer)
    terms = {"fit": Term("mse", weight="learned"), "small": Term(small, weight=0.3), "ce": CrossEntropy(from_logits=True)}
    large, pieces = network(), network()
    pieces.set_weights(large.get_weights())
    large.compile(make(0.1), Objective(terms))
    pieces.compile(make(0.1, gradient_accumulation_steps=2), Objective(terms))
    y = np.eye(2, dtype="float32")[[0, 1, 1, 0, 1, 0]]
    expected = fit(large, (X[:6], y), epochs=4, size=6)
    close(fit(pieces, (X[:6], y), epochs=4, size=3), expected)
    close(weights_of(pieces), weights_of(large))
    assert (int(large.objective.step), int(pieces.objective.step)) == (4, 8)  # batches, as they are counted everywhere


def test_single_batches_by_hand():
    """`train_on_batch` and `test_on_batch` show the batch after a reset, and count like `fit`."""
    model = compiled(network())

    def show(step, *batch):
        model.reset_metrics()  # Keras 3.15 does so by itself, 3.12 does not
        return step(*batch, return_dict=True)

    start = weights_of(model)
    (middle, end), first = [trained(in_numpy, start, (X[:n], Y[:n]), SGD(0.1))[0] for n in (3, 6)], slice(0, 3)
    close(show(model.train_on_batch, X[first], Y[first]), in_numpy(start, X[first], Y[first], 0, True))
    close(show(model.train_on_batch, X[3:6], Y[3:6]), in_numpy(middle, X[3:6], Y[3:6], 1, True))
    close(weights_of(model), end)
    close(show(model.test_on_batch, X, Y), in_numpy(end, X, Y, 2, False))
    assert int(model.objective.step) == 2


def test_one_seed_one_run():
    """Dropout in both passes, shuffled data."""

    def run():
        keras.utils.set_random_seed(5)
        model = compiled(network(dropout=0.5), keras.optimizers.Adam(0.1))
        history = model.fit(X, Y, batch_size=3, epochs=2, validation_data=VALIDATION, verbose=0).history
        return history, weights_of(model)

    (first, before), (second, after) = run(), run()
    assert first == second
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)
