"""NumericsGuard: planted faults are named rightly, their batches are saved, healthy runs are left alone."""

import json

import keras
import numpy as np
import pytest
from keras import layers, ops

import kerasmith
from kerasmith.callbacks.loss_terms import LossTerms
from kerasmith.callbacks.numerics_guard import NumericsGuard
from kerasmith.losses import from_function

BATCH, FAULT = 4, 3
RNG = np.random.default_rng(3)
X = RNG.uniform(0.5, 1.5, (28, 3)).astype("float32")
Y = X.sum(1, keepdims=True)
ON_TORCH = keras.backend.backend() == "torch"


def data(sample=FAULT * BATCH + 2, value=0.0):
    """The data with one sample whose features are all `value`: the third of batch 3."""
    x = X.copy()
    x[sample] = value
    return x, Y.copy()


def layer(fn, name):
    return layers.Lambda(fn, name=name, output_shape=lambda shape: shape)


def sequential(*middle, bias=0.0):
    ones = keras.initializers.Constant(1.0)
    first = layers.Dense(3, kernel_initializer=ones, bias_initializer=keras.initializers.Constant(bias), name="first")
    return keras.Sequential([keras.Input((3,)), first, *middle, layers.Dense(1, kernel_initializer=ones, name="last")])


def fit(model, x, y, guard, *, optimizer=None, loss="mse", epochs=2, compiled=None, **keywords):
    model.compile(optimizer or keras.optimizers.SGD(0.0), loss, **(compiled or {}))
    callbacks = [guard, *keywords.pop("more", [])]
    return model.fit(x, y, batch_size=BATCH, shuffle=False, epochs=epochs, verbose=0, callbacks=callbacks, **keywords)


def found(guard):
    return guard.finding.kind, guard.finding.where, guard.finding.epoch, guard.finding.batch


# Each fault in the third sample of batch 3.


def bad_input(guard):
    x, y = data(value=np.inf)
    fit(sequential(), x, y, guard)


def bad_label(guard):
    x, y = data(value=1.0)
    y[FAULT * BATCH + 2] = np.nan
    fit(sequential(), x, y, guard)


def bad_weight_of_a_sample(guard):
    weights = np.ones(len(X), "float32")
    weights[FAULT * BATCH + 2] = np.nan
    fit(sequential(), X, Y, guard, sample_weight=weights)


def logarithm_of_zero(guard):
    x, y = data()
    fit(sequential(layer(ops.log, "logarithm"), layers.Activation("relu", name="after")), x, y, guard)


def logarithm_in_a_block(guard):
    x, y = data()
    block = keras.Sequential([layers.Activation("linear", name="inner"), layer(ops.log, "logarithm")], name="block")
    fit(sequential(block), x, y, guard)


def operation_in_a_graph(guard):
    inputs = keras.Input((3,))
    outputs = layers.Dense(1, kernel_initializer="ones", name="last")(ops.log(layers.Activation("linear")(inputs)))
    model = keras.Model(inputs, outputs)
    guard.expected = model.layers[2].name if len(model.layers) == 4 else model.operations[2].name
    fit(model, *data(), guard)


class Raw(keras.Model):
    """Computes the logarithm outside of its layers."""

    def __init__(self):
        super().__init__(name="raw")
        self.first = layers.Dense(3, kernel_initializer="ones", name="first")
        self.last = layers.Dense(1, kernel_initializer="ones", name="last")

    def call(self, x):
        return self.last(ops.log(self.first(x)))


def logarithm_outside_of_layers(guard):
    fit(Raw(), *data(), guard)
    assert "before its part 'last'" in guard.finding.detail


def inverse(y_true, y_pred):
    return ops.mean(1.0 / ops.abs(y_pred), axis=-1)


def term_of_an_objective(guard):
    inputs = keras.Input((3,))
    model = kerasmith.Model(inputs, layers.Dense(1, kernel_initializer="ones")(inputs))
    fit(model, *data(), guard, loss=kerasmith.Objective({"fit": "mse", "inverse": inverse}))


def term_of_a_sum(guard):
    loss = 0.5 * kerasmith.losses.Charbonnier() + from_function(inverse)
    fit(sequential(), *data(), guard, loss=loss)
    assert guard.finding.samples == [2]


def shown_term_of_a_sum(guard):
    loss = 0.5 * kerasmith.losses.Charbonnier() + from_function(inverse)
    fit(sequential(), *data(), guard, loss=loss, more=[LossTerms()])


def single_loss(guard):
    fit(sequential(), *data(), guard, loss=inverse)


def loss_of_an_output(guard):
    inputs = keras.Input((3,))
    outputs = {name: layers.Dense(1, kernel_initializer="ones", name=name)(inputs) for name in ("one", "two")}
    x, y = data()
    fit(keras.Model(inputs, outputs), x, {"one": y, "two": y}, guard, loss={"one": "mse", "two": inverse})


def root(t):
    return ops.sqrt(t * t)


def slope_of_a_root(guard):
    fit(sequential(layer(root, "root"), layers.Activation("linear", name="after")), *data(), guard)
    assert "first/kernel" in guard.finding.detail
    assert "last" not in guard.finding.detail


def slope_of_a_loss(guard):
    def distance(y_true, y_pred):
        return ops.mean(root(y_pred), axis=-1)

    fit(sequential(), *data(), guard, loss=distance)


def update_too_large(guard):
    x, y = 0 * X, 0 * Y
    x[FAULT * BATCH], y[FAULT * BATCH] = 1e10, 1e10
    fit(sequential(), x, y, guard, optimizer=keras.optimizers.SGD(1e30))


FAULTS = {
    bad_input: ("input", "x"),
    bad_label: ("input", "y"),
    bad_weight_of_a_sample: ("input", "sample_weight"),
    logarithm_of_zero: ("activation", "logarithm"),
    logarithm_in_a_block: ("activation", "block/logarithm"),
    operation_in_a_graph: ("activation", None),
    logarithm_outside_of_layers: ("activation", "raw"),
    term_of_an_objective: ("loss", "inverse"),
    term_of_a_sum: ("loss", "inverse"),
    shown_term_of_a_sum: ("loss", "inverse"),
    single_loss: ("loss", "inverse"),
    loss_of_an_output: ("loss", "two_loss"),
    slope_of_a_root: ("gradient", "root"),
    slope_of_a_loss: ("gradient", "distance"),
    update_too_large: ("weight", None),
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_planted_faults_are_named(fault, tmp_path, capsys):
    guard = NumericsGuard(tmp_path)
    fault(guard)
    kind, where = FAULTS[fault]
    assert found(guard) == (kind, where or getattr(guard, "expected", guard.finding.where), 0, FAULT)
    assert str(guard.finding) in capsys.readouterr().out
    if fault is update_too_large:
        assert guard.finding.where.split("/")[-2:] == ["first", "kernel"]
    saved = np.load(guard.finding.file)
    if fault is bad_input:
        assert set(saved) == {"x", "y"}
        part = slice(FAULT * BATCH, (FAULT + 1) * BATCH)
        np.testing.assert_array_equal(saved["x"], data(value=np.inf)[0][part])
        np.testing.assert_array_equal(saved["y"], Y[part])
        assert guard.finding.samples == [2]
    written = json.loads((tmp_path / f"epoch_1_batch_{FAULT}.json").read_text())
    assert (written["kind"], written["where"], written["batch"]) == (guard.finding.kind, guard.finding.where, FAULT)


class Late(keras.utils.PyDataset):
    """Good in the first epoch, bad in the second batch of the second; random features."""

    def __init__(self):
        super().__init__()
        self.epoch, self.seen = 0, None

    def __len__(self):
        return 5

    def __getitem__(self, index):
        x = np.random.default_rng([self.epoch, index]).random((2, 3)).astype("float32")
        if self.epoch == 1 and index == 1:
            x[0, 1] = np.nan
            self.seen = x
        return {"a": x}, x[:, :1]


@pytest.mark.parametrize("every", [1, 3, 50])
def test_the_batch_and_the_epoch_are_right_whenever_it_looks(every, tmp_path):
    inputs = keras.Input((3,), name="a")
    model = keras.Model({"a": inputs}, layers.Dense(1)(inputs))
    model.compile("adam", "mse")
    source = Late()
    guard = NumericsGuard(tmp_path, every=every, verbose=0)
    tell = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: setattr(source, "epoch", epoch))
    model.fit(source, epochs=4, shuffle=False, verbose=0, callbacks=[guard, tell])
    assert found(guard) == ("input", "x/a", 1, 1)
    np.testing.assert_array_equal(np.load(guard.finding.file)["x/a"], source.seen)
    assert len(guard.findings) == 1
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_the_stopped_model_is_the_one_before_the_bad_step():
    x, y = data(value=np.nan)
    model, twin = sequential(), sequential()
    guard = NumericsGuard(verbose=0)
    history = fit(model, x, y, guard, optimizer=keras.optimizers.Adam(0.01)).history
    assert model.stop_training
    assert len(history["loss"]) == 1
    assert np.isnan(history["loss"][0])
    twin.compile(keras.optimizers.Adam(0.01), "mse")
    twin.fit(X[: FAULT * BATCH], Y[: FAULT * BATCH], batch_size=BATCH, shuffle=False, verbose=0)
    for ours, theirs in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert int(model.optimizer.iterations) == FAULT


def noisy(dtype=None):
    return keras.Sequential(
        [keras.Input((3,)), layers.Dense(8, activation="relu", dtype=dtype), layers.BatchNormalization(dtype=dtype),
         layers.Dropout(0.5, seed=3, dtype=dtype), layers.Dense(1, dtype="float32")]
    )  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_a_healthy_run_is_not_touched(dtype):
    weights, losses = [], []
    for callbacks in ([], [NumericsGuard(every=2)]):
        keras.utils.set_random_seed(5)
        model = noisy(dtype)
        optimizer = keras.optimizers.Adam(0.01)
        if dtype != "float32":
            # The first gradients overflow at this scale: such steps are left out by design.
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=2.0**24)
        model.compile(optimizer, "mse", metrics=["mae"])
        losses.append(model.fit(X, Y, batch_size=BATCH, epochs=3, verbose=0, callbacks=callbacks).history)
        weights.append(model.get_weights())
        if dtype != "float32":
            assert float(optimizer.dynamic_scale) < 2.0**24
    assert callbacks[0].finding is None
    assert losses[0] == losses[1]
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


class NeverKnown(keras.metrics.MeanAbsoluteError):
    def result(self):
        return super().result() * float("nan")


def test_metrics_may_be_nan_by_design():
    guard = NumericsGuard(every=1)
    fit(sequential(), X, Y, guard, compiled={"metrics": [NeverKnown(name="unknown")]})
    assert guard.finding is None


def test_a_loss_scale_that_never_recovers_is_a_fault():
    model = sequential(layer(root, "root"))
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.01))
    guard = NumericsGuard(every=10, verbose=0)
    x = np.zeros((2, 3), "float32")
    model.compile(optimizer, "mse")
    model.fit(np.tile(x, (40, 1)), np.ones((80, 1)), batch_size=2, verbose=0, callbacks=[guard])
    assert found(guard)[:2] == ("gradient", "root")
    assert "leaves out step after step" in str(guard.finding)


@pytest.mark.skipif(ON_TORCH, reason="Keras on PyTorch has no steps_per_execution")
def test_several_steps_at_once():
    x, y = data(value=np.nan)
    guard = NumericsGuard(verbose=0)
    model = sequential()
    fit(model, x, y, guard, compiled={"steps_per_execution": 2})
    if keras.backend.backend() == "jax":
        assert found(guard) == ("input", "x", 0, FAULT)
    else:
        assert guard.finding.kind == "weight"
        assert "not seen" in guard.finding.detail
        assert "Not finite now are the variables" in guard.finding.detail
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_nothing_is_left_behind_by_a_fit_that_failed():
    def fail(epoch, logs):
        raise KeyboardInterrupt

    model = sequential()
    model.compile(keras.optimizers.SGD(0.0), "mse")
    guard = NumericsGuard(verbose=0)
    failing = keras.callbacks.LambdaCallback(on_epoch_end=fail)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=BATCH, verbose=0, callbacks=[guard, failing])
    model.fit(*data(value=np.nan), batch_size=BATCH, verbose=0)
    assert guard.finding is None
    assert type(model.train_function).__name__ != "TrainFunctionHook"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"every": 0}, "every"), ({"factor": 0}, "factor"), ({"max_rollbacks": -1}, "max_rollbacks"), ({"memory": 0}, "memory")],
)
def test_arguments_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        NumericsGuard(**arguments)
