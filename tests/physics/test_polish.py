"""L-BFGS on the model's own loss: the numbers of SciPy and of closed forms, what it refuses, what it adds to the history."""

import sys

import keras
import numpy as np
import pytest
from keras import ops
from scipy.optimize import minimize

from kerasmith import Model, Objective, Term
from kerasmith.multitask import GradientSurgery
from kerasmith.physics import polish
from tests.support import float64

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]]) + 0.3 + 0.1 * RNG.normal(size=(40, 1))).astype("float32")
trains = pytest.mark.heavy("compiles the loss of a model", on=("tensorflow", "jax"), seconds=4)


def linear(loss="mse", **arguments):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,))
    model = Model(inputs, keras.layers.Dense(1, **arguments)(inputs))
    model.compile("adam", loss)
    return model


def network(*middle, loss="mse"):
    keras.utils.set_random_seed(1)
    layers = [keras.Input((3,)), keras.layers.Dense(8, activation="tanh"), *middle, keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile("adam", loss)
    return model


def weights_of(model):
    return np.concatenate([np.ravel(ops.convert_to_numpy(v.value)) for v in model.trainable_variables])


@trains
def test_it_reaches_the_least_squares_and_continues_the_history():
    def size(model):
        return 0.1 * ops.sum(ops.square(model.trainable_variables[0]))

    model = linear(Objective({"fit": "mse", "size": Term(size)}))
    history = model.fit(X, Y, epochs=2, verbose=0)
    polished = polish(model, (X, Y), 30, verbose=0)
    # Ridge regression with a free constant, written out.
    x, y = X - X.mean(axis=0), Y - Y.mean()
    slope = np.linalg.solve(x.T @ x / 40 + 0.1 * np.eye(3), x.T @ y / 40)
    best = np.append(slope, Y.mean() - X.mean(axis=0) @ slope)
    np.testing.assert_allclose(weights_of(model), best, atol=2e-4)
    assert polished is history
    assert sorted(history.history) == ["fit", "loss", "size"]
    assert history.epoch == list(range(len(history.epoch)))
    assert {len(values) for values in history.history.values()} == {len(history.epoch)}
    last = {name: values[-1] for name, values in history.history.items()}
    found = model.evaluate(X, Y, batch_size=40, verbose=0, return_dict=True)
    assert found == pytest.approx(last, rel=1e-5)


@trains
def test_its_steps_are_those_of_scipy():
    model = network()
    shapes = [tuple(v.shape) for v in model.trainable_variables]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]

    def loss(weights):
        first, bias, second, constant = (part.reshape(s) for part, s in zip(np.split(weights, ends), shapes, strict=True))
        hidden = np.tanh(X @ first + bias)
        left = hidden @ second + constant - Y
        slope = 2 * left / len(left)
        below = (slope @ second.T) * (1 - hidden**2)
        parts = [X.T @ below, below.sum(axis=0), hidden.T @ slope, slope.sum(axis=0)]
        return np.mean(left**2), np.concatenate([np.ravel(part) for part in parts])

    losses = []
    expected = minimize(
        loss,
        weights_of(model).astype("float64"),
        jac=True,
        method="L-BFGS-B",
        callback=lambda intermediate_result: losses.append(intermediate_result.fun),
        options={"maxiter": 6, "maxcor": 50, "ftol": 0, "gtol": 0, "maxls": 50},
    )
    history = polish(model, (X, Y), 6, verbose=0)
    np.testing.assert_allclose(history.history["loss"], losses, rtol=1e-5)
    np.testing.assert_allclose(weights_of(model), expected.x, atol=1e-5)


@trains
def test_double_precision_gets_further():
    before = keras.config.floatx(), keras.config.dtype_policy()
    with float64.enabled():
        keras.config.set_floatx("float64")
        keras.config.set_dtype_policy("float64")
        try:
            model = linear()
            polish(model, (X.astype("float64"), Y.astype("float64")), 30, verbose=0)
            found = weights_of(model)
        finally:
            keras.config.set_floatx(before[0])
            keras.config.set_dtype_policy(before[1])
    best = np.linalg.lstsq(np.c_[X, np.ones(40)].astype("float64"), Y.astype("float64"), rcond=None)[0][:, 0]
    assert found.dtype == "float64"
    # `keras.ops.mean` is in single precision on PyTorch, whatever it is given.
    np.testing.assert_allclose(found, best, atol=1e-5 if keras.backend.backend() == "torch" else 1e-8)


@trains
def test_learned_weights_regularisers_and_bounds_count():
    inputs = keras.Input((3,))
    dense = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.01), kernel_constraint=keras.constraints.NonNeg())
    model = Model(inputs, dense(inputs))
    model.compile("adam", Objective({"fit": "mse", "mae": Term("mae", weight="learned")}))
    learned = [v for v in model.trainable_variables if v is not dense.kernel and v is not dense.bias]
    before = [ops.convert_to_numpy(v.value) for v in learned]
    losses = polish(model, (X, Y), 40, verbose=0).history["loss"]
    kernel = ops.convert_to_numpy(dense.kernel)
    assert losses[-1] < losses[0]
    assert learned
    assert all(np.any(ops.convert_to_numpy(v.value) != b) for v, b in zip(learned, before, strict=True))
    assert kernel.min() == 0  # the second coefficient is negative
    assert model.evaluate(X, Y, batch_size=40, verbose=0, return_dict=True)["loss"] == pytest.approx(losses[-1], rel=1e-5)


@trains
def test_what_a_step_counts_stands_still_and_callbacks_hear_of_each_step():
    fade = keras.optimizers.schedules.PiecewiseConstantDecay([1], [1.0, 0.0])
    model = linear(Objective({"fit": Term("mse", weight=fade)}))
    told = []

    class Told(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            told.append((epoch, logs["loss"], weights_of(self.model)))
            self.model.stop_training = epoch == 2

    history = polish(model, (X, Y), 10, callbacks=[Told()], verbose=0)
    assert int(model.objective.step) == 0
    assert [epoch for epoch, _, _ in told] == [0, 1, 2]
    assert [loss for _, loss, _ in told] == history.history["loss"]
    assert set(history.history["fit_weight"]) == {1.0}
    np.testing.assert_array_equal(told[-1][2], weights_of(model))


@trains
def test_columns_of_fit_and_of_polish_have_one_length():
    model = linear()
    model.fit(X, Y, validation_data=(X, Y), epochs=2, verbose=0)
    history = polish(model, (X, Y), 2, verbose=0).history
    assert [len(values) for values in history.values()] == [4, 4]
    assert np.isnan(history["val_loss"]).tolist() == [False, False, True, True]


@trains
def test_a_frozen_layer_stays():
    model = network()
    model.layers[0].trainable = False
    before = ops.convert_to_numpy(model.layers[0].kernel)
    polish(model, (X, Y), 3, verbose=0)
    np.testing.assert_array_equal(ops.convert_to_numpy(model.layers[0].kernel), before)


@trains
@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (keras.layers.Dropout(0.3), r"'drop' \(Dropout\).*rate = 0.0"),
        (keras.layers.GaussianNoise(0.1), r"'drop' \(GaussianNoise\).*without"),
        (keras.layers.BatchNormalization(), r"'drop' \(BatchNormalization\) moves .*moving_mean.*trainable = False"),
    ],
    ids=["dropout", "noise", "batch_norm"],
)
def test_layers_that_change_the_loss_are_refused_and_the_advice_works(layer, message):
    layer = type(layer).from_config({**layer.get_config(), "name": "drop"})
    model = network(layer)
    with pytest.raises(ValueError, match=message):
        polish(model, (X, Y), 3)
    if isinstance(layer, keras.layers.GaussianNoise):
        return
    if isinstance(layer, keras.layers.Dropout):
        layer.rate = 0.0
    else:
        layer.trainable = False
    losses = polish(model, (X, Y), 3, verbose=0).history["loss"]
    assert len(losses) == 3


@trains
def test_a_loss_that_is_not_finite_is_named():
    def broken(y_pred):
        return ops.log(0.0 * y_pred[:, 0] - 1.0)

    model = linear(Objective({"fit": "mse", "broken": broken}))
    with pytest.raises(ValueError, match=r"loss is nan.*: broken is nan"):
        polish(model, (X, Y), 3)
    rough = linear(lambda y, y_pred: ops.sqrt(0.0 * ops.sum(y_pred, axis=-1)))
    with pytest.raises(ValueError, match=r"not its gradient by .*kernel"):
        polish(rough, (X, Y), 3)


def test_wrong_arguments():
    model = linear()
    for name, value in [("steps", 0), ("steps", 2.5), ("steps", True), ("memory", 0), ("tolerance", -1.0)]:
        with pytest.raises(ValueError, match=f"`{name}` must be"):
            polish(model, (X, Y), **{"steps": 3, name: value})
    with pytest.raises(ValueError, match="no loss"):
        polish(keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]), (X, Y), 3)
    with pytest.raises(TypeError, match=r"must be a keras.Model"):
        polish(None, (X, Y), 3)
    with pytest.raises(ValueError, match=r"\(40, 3\), \(39, 1\)"):
        polish(model, (X, Y[1:]), 3)
    with pytest.raises(ValueError, match="no other constraint than NonNeg"):
        polish(linear(kernel_constraint="max_norm"), (X, Y), 3)
    with pytest.raises(ValueError, match="GradientSurgery changes the gradient"):
        polish(linear(Objective({"a": "mse", "b": "mae"}, balance=GradientSurgery("pcgrad"))), (X, Y), 3)
    model.trainable = False
    with pytest.raises(ValueError, match="no weights to train"):
        polish(model, (X, Y), 3)


@pytest.mark.host("an import that fails")
def test_without_scipy(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(ImportError, match="pip install scipy"):
        polish(linear(), (X, Y), 3)


@pytest.mark.host("words that are printed")
def test_what_is_printed(capsys):
    polish(linear(), (X, Y), 3, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" - ")[0] for line in lines[:3]] == ["polish 1/3", "polish 2/3", "polish 3/3"]
    assert lines[3].startswith("polish: 3 of 3 steps, loss ")
