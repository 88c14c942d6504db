"""GradientHealth: its numbers against gradients and updates found by hand, and a training that does not notice it."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import kerasmith
from kerasmith.callbacks.gradient_health import PAGE, GradientHealth
from kerasmith.callbacks.gradient_notes import gradient_notes
from kerasmith.callbacks.numerics_guard import NumericsGuard
from kerasmith.callbacks.run_report.run_report import RunReport
from kerasmith.keras_internals.layer_names import named_layers

RNG = np.random.default_rng(5)
X = RNG.normal(size=(24, 3)).astype("float32")
Y = (X @ [[1.0], [-2.0], [0.5]]).astype("float32")
ON_TORCH = keras.backend.backend() == "torch"


def fit(net, callbacks, *, epochs=2, x=X, y=Y, **keywords):
    keywords = {"batch_size": 4, "shuffle": False, "verbose": 0, **keywords}
    return net.fit(x, y, epochs=epochs, callbacks=callbacks, **keywords).history


def linear(optimizer):
    net = keras.Sequential([keras.Input((3,)), layers.Dense(1, name="line")])
    net.compile(optimizer, "mse")
    net.set_weights([np.array([[0.3], [0.2], [-0.1]]), np.array([0.5])])
    return net


def test_a_linear_model_against_numpy():
    rate, net = 0.05, linear(keras.optimizers.SGD(0.05))
    health = GradientHealth(every=5)
    fit(net, [health])
    w, b = np.array([[0.3], [0.2], [-0.1]]), np.array([0.5])
    expected = []
    for step in range(12):
        part = slice(step % 6 * 4, step % 6 * 4 + 4)
        error = X[part].astype("float64") @ w + b - Y[part]
        slope_w, slope_b = 2 * X[part].T @ error / 4, 2 * error.mean(0)
        gradient = np.sqrt((slope_w**2).sum() + (slope_b**2).sum())
        expected.append((gradient, np.sqrt((w**2).sum() + (b**2).sum())))
        w, b = w - rate * slope_w, b - rate * slope_b
    assert [(row["step"], row["epoch"], row["batch"]) for row in health.rows] == [(0, 0, 0), (5, 0, 5), (10, 1, 4)]
    for row in health.rows:
        gradient, weight = expected[row["step"]]
        found = row["layers"]["line"]
        assert found["gradient"] == pytest.approx(gradient, rel=1e-5)
        assert found["weight"] == pytest.approx(weight, rel=1e-5)
        assert found["update"] == pytest.approx(rate * gradient / weight, rel=1e-4)
        assert (found["zeros"], found["dead"]) == (0.0, 0.0)


class Weights(keras.callbacks.Callback):
    """The weights before and after each step."""

    def __init__(self):
        super().__init__()
        self.pairs = []

    def on_train_batch_begin(self, batch, logs=None):
        self.before = self.model.get_weights()

    def on_train_batch_end(self, batch, logs=None):
        self.pairs.append((self.before, self.model.get_weights()))


def test_updates_are_those_of_any_optimizer():
    net, weights, health = linear(keras.optimizers.Adam(0.01, clipnorm=0.1)), Weights(), GradientHealth(every=3)
    fit(net, [weights, health])
    assert len(health.rows) == 4
    for row in health.rows:
        before, after = ([np.concatenate([a.ravel() for a in arrays])] for arrays in weights.pairs[row["step"]])
        ratio = np.linalg.norm(after[0] - before[0]) / np.linalg.norm(before[0])
        assert row["layers"]["line"]["update"] == pytest.approx(ratio, rel=1e-4)


def test_dead_units_and_layers_without_gradient():
    inputs = keras.Input((3,))
    hidden = layers.Dense(4, activation="relu", name="hidden")
    unused = layers.Dense(2, name="unused")
    joined = layers.Concatenate()([hidden(inputs), layers.Lambda(lambda t: 0.0 * t)(unused(inputs))])
    net = keras.Model(inputs, layers.Dense(1, name="last")(joined))
    net.compile(keras.optimizers.SGD(0.0), "mse")
    hidden.set_weights([hidden.get_weights()[0], np.array([9.0, 9.0, 9.0, -99.0])])
    health = GradientHealth(every=1, verbose=0)
    fit(net, [health], epochs=1)
    for row in health.rows:
        assert row["layers"]["hidden"]["dead"] == 0.25
        assert row["layers"]["hidden"]["zeros"] == 0.25
        assert row["layers"]["unused"]["gradient"] == 0.0
        assert row["layers"]["unused"]["dead"] == 1.0
    assert "'unused'" in health.notes["no gradient"]


def noisy(dtype=None):
    """Random layers, moving averages, a regulariser and a block."""
    block = keras.Sequential([layers.Dense(6, kernel_regularizer="l2", dtype=dtype), layers.BatchNormalization(dtype=dtype)])
    block.name = "block"
    return keras.Sequential(
        [keras.Input((3,)), layers.GaussianNoise(0.1, seed=2), block, layers.Dropout(0.5, seed=3),
         layers.Dense(1, dtype="float32")]
    )  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_the_training_does_not_notice(dtype):
    weights, histories = [], []
    for callbacks in ([], [GradientHealth(every=2, verbose=0), NumericsGuard(every=3)]):
        keras.utils.set_random_seed(5)
        net = noisy(dtype)
        net.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
        histories.append(fit(net, callbacks, shuffle=True, epochs=3))
        weights.append([*net.get_weights(), *(np.array(ops.convert_to_numpy(v)) for v in net.non_trainable_variables)])
    assert histories[0] == histories[1]
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)
    rows = callbacks[0].rows
    assert len(rows) == 9
    assert {"block/dense", "block/batch_normalization"} <= {name.rstrip("_0123456789") for name in rows[0]["layers"]}
    assert callbacks[1].finding is None
    assert all(np.isfinite(v["gradient"]) for row in rows for v in row["layers"].values())


def test_the_scale_of_the_loss_is_taken_out():
    found = []
    for optimizer in (
        keras.optimizers.SGD(0.01),
        keras.optimizers.SGD(0.01, loss_scale_factor=64.0),
        keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.01), initial_scale=256.0),
    ):
        health = GradientHealth()
        fit(linear(optimizer), [health], epochs=1)
        found.append(health.rows[0]["layers"]["line"])
    for other in found[1:]:
        assert other == pytest.approx(found[0], rel=1e-5)


def test_an_objective_with_a_balancer_and_its_own_state():
    def make():
        keras.utils.set_random_seed(2)
        inputs = keras.Input((3,))
        net = kerasmith.Model(inputs, layers.Dense(1, name="line")(inputs))
        net.compile(keras.optimizers.SGD(0.05), kerasmith.Objective({"a": "mse", "b": "mae"}, weights=["learned", 0.5]))
        return net

    nets, health = (make(), make()), GradientHealth(every=2, verbose=0)
    assert fit(nets[0], []) == fit(nets[1], [health])
    for one, other in zip(nets[0].get_weights(), nets[1].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert set(health.rows[0]["layers"]) == {"line", "objective"}
    assert health.rows[0]["layers"]["objective"]["gradient"] > 0


def test_embeddings_and_layers_that_are_frozen_or_thawed():
    net = keras.Sequential(
        [
            keras.Input((2,), dtype="int32"),
            layers.Embedding(5, 4, name="words"),
            layers.Flatten(),
            layers.Dense(1, name="last"),
        ]
    )
    net.layers[0].trainable = False
    net.compile("sgd", "mse")
    health = GradientHealth(every=4, verbose=0)
    x, y = np.tile([[0, 1]], (16, 1)), np.ones((16, 1))
    fit(net, [health], x=x, y=y, epochs=1)
    assert set(health.rows[0]["layers"]) == {"last"}
    net.layers[0].trainable = True
    net.compile("sgd", "mse")
    fit(net, [health], x=x, y=y, epochs=1)
    assert [row["step"] for row in health.rows] == [0, 4]
    # Two of five words occur.
    assert health.rows[1]["layers"]["words"]["zeros"] == pytest.approx(0.6)


def test_files_report_and_messages(tmp_path, capsys):
    report = RunReport(tmp_path / "run")
    health = GradientHealth(every=2, directory=tmp_path, report=report)
    net = linear(keras.optimizers.SGD(0.4))
    fit(net, [health, report])
    assert "Gradient norm" in (tmp_path / PAGE).read_text()
    assert "Gradient norm" in (tmp_path / "run" / "report.html").read_text()
    printed = capsys.readouterr().out
    assert printed.count("One step changes the weights of the layer 'line'") == 1
    assert type(net.train_function).__name__ != "TrainFunctionHook"


def test_state_goes_to_another_process(tmp_path):
    whole, first = GradientHealth(every=4, verbose=0), GradientHealth(every=4, verbose=0)
    net = linear(keras.optimizers.SGD(0.01))
    fit(net, [whole, first], epochs=1)
    state = first.state_dict()
    second = GradientHealth(every=4, directory=tmp_path, verbose=0)
    second.load_state_dict(state)
    second.load_state_dict(state)
    assert second.rows == whole.rows
    assert (tmp_path / PAGE).exists()
    fit(net, [whole, second], epochs=1)
    assert second.rows == whole.rows
    assert second.state_dict() == whole.state_dict()
    assert [row["step"] for row in whole.rows] == [0, 4, 8]


@pytest.mark.skipif(ON_TORCH, reason="Keras on PyTorch has no steps_per_execution")
def test_several_steps_at_once(capsys):
    net = linear(keras.optimizers.SGD(0.01))
    net.compile(keras.optimizers.SGD(0.01), "mse", steps_per_execution=2)
    health = GradientHealth(every=1)
    fit(net, [health])
    if keras.backend.backend() == "tensorflow":
        assert health.rows == []
        assert capsys.readouterr().out.count("nothing is sampled") == 1
    else:
        assert [row["batch"] for row in health.rows] == [0, 2, 4] * 2


def sample(step, **layers_of):
    return {"step": step, "layers": {name: {"update": 0.01, "dead": 0.0, **values} for name, values in layers_of.items()}}


@pytest.mark.parametrize(
    ("rows", "kinds"),
    [
        ([sample(0, a={"gradient": 1.0})], set()),
        ([sample(0, a={"gradient": float("inf")})], {"not finite"}),
        ([*[sample(i, a={"gradient": 1.0}) for i in range(3)], sample(3, a={"gradient": 200.0})], {"exploding"}),
        ([sample(0, a={"gradient": 1.0, "dead": 0.5})], {"dead"}),
        ([sample(0, a={"gradient": 1.0, "dead": 0.9}), sample(1, a={"gradient": 1.0, "dead": 0.1})], set()),
        ([sample(0, a={"gradient": 0.0, "dead": 1.0, "update": None})], {"no gradient"}),
        ([sample(0, a={"gradient": 1.0, "update": 0.2})], {"large updates"}),
        ([sample(0, a={"gradient": 1.0, "update": 1e-7})], {"small updates"}),
        ([sample(0, a={"gradient": 1.0}, b={"gradient": 1e-7})], {"vanishing"}),
    ],
)
def test_what_stands_out(rows, kinds):
    new = 1 if kinds == {"exploding"} else len(rows)
    assert set(gradient_notes(rows, new)) == kinds


def test_names_of_layers_are_paths_and_shared_layers_come_once():
    shared = layers.Dense(3, name="shared")
    inputs = keras.Input((3,))
    block = keras.Sequential([layers.Dense(3, name="one")], name="block")
    net = keras.Model(inputs, shared(block(shared(inputs))))
    assert [name for name, _ in named_layers(net)] == ["shared", "block", "block/one"]


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="every"):
        GradientHealth(every=0)
    with pytest.raises(TypeError, match="RunReport"):
        GradientHealth(report="report.html")


class TwoOfOneName(keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.second = keras.layers.Dense(2, name="dense"), keras.layers.Dense(1, name="dense")

    def call(self, x):
        return self.second(self.first(x))


def test_layers_of_one_name_and_layers_that_are_unfrozen_have_rows_of_their_own():
    keras.utils.set_random_seed(2)
    net, health = TwoOfOneName(), GradientHealth(every=1, verbose=0)
    x = np.ones((4, 3), "float32")
    net(x)
    trained = []
    for is_trained in (True, False):
        net.first.trainable = is_trained
        net.second.trainable = True
        net.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
        net.fit(x, x[:, :1], verbose=0, callbacks=[health])
        trained.append({name: row["weight"] for name, row in health.rows[-1]["layers"].items()})
    assert [sorted(row) for row in trained] == [["dense", "dense#1"], ["dense#1"]]
