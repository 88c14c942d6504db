"""FindLR: the curve of a plain loop, everything as before to the bit, and a picture of it."""

from xml.etree import ElementTree

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.callbacks.find_lr import FindLR
from kerasmith.keras_internals import random_state
from kerasmith.schedules import CosineRestarts
from tests.report.html_checks import plots

RNG = np.random.default_rng(3)
X = RNG.normal(size=(48, 3)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]]) + 0.1).astype("float32")


def rich_model(optimizer=None, build=True):
    """Seeds, moving statistics, momentum, metrics: all that a step changes."""
    keras.utils.set_random_seed(4)
    layers = [keras.layers.Dense(5, activation="relu"), keras.layers.BatchNormalization(), keras.layers.Dropout(0.4)]
    net = keras.Sequential([*([keras.Input((3,))] if build else []), *layers, keras.layers.Dense(1)])
    net.compile(optimizer or keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return net


def everything(net):
    values = [*net.variables, *net.optimizer.variables, *net.metrics_variables]
    return [np.array(ops.convert_to_numpy(variable)) for variable in values]


def same(got, expected):
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def same_state(got, expected):
    """Two states of the random generators."""
    assert str(got) == str(expected)
    for name in got:
        for a, b in zip(got[name], expected[name], strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("batch", [16, 20])
def test_rates_and_losses_are_those_of_a_plain_loop(batch):
    net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    net.compile("sgd", "mse", metrics=["mae"])
    finder = FindLR(1e-3, 1.0, steps=11, diverge=50.0)
    finder.run(net, X, Y, batch_size=batch, shuffle=False)
    kernel, bias, losses = np.zeros((3, 1)), 0.0, []
    rates = 1e-3 * 1000.0 ** (np.arange(11) / 10)
    starts = list(range(0, 48, batch))
    for k in range(len(finder.losses)):
        x, y = (a[starts[k % len(starts)] :][:batch].astype("float64") for a in (X, Y))
        error = x @ kernel + bias - y
        losses.append(np.mean(error**2))
        kernel = kernel - rates[k] * 2 * x.T @ error / len(x)
        bias = bias - rates[k] * 2 * error.mean()
    assert len(losses) >= 10
    np.testing.assert_allclose(finder.rates, rates[: len(losses)], rtol=1e-12)
    np.testing.assert_allclose(finder.losses, losses, rtol=2e-4)


@pytest.mark.parametrize("kind", ["plain", "schedule", "loss_scaling"])
def test_everything_is_as_before(kind):
    def optimizer():
        if kind == "plain":
            return None
        inner = keras.optimizers.SGD(CosineRestarts(T_0=9, eta_max=0.003), momentum=0.9)
        return inner if kind == "schedule" else keras.optimizers.LossScaleOptimizer(inner)

    def train(net):
        return net.fit(X, Y, epochs=2, batch_size=8, verbose=0).history

    plain = rich_model(optimizer())
    first, second = train(plain), train(plain)
    tested = rich_model(optimizer())
    finder = FindLR(1e-5, 1e-2, steps=8, diverge=50.0)
    finder.run(tested, X, Y, batch_size=8)
    assert train(tested) == first
    history, before, generators = tested.history, everything(tested), random_state.capture()
    rate, function = tested.optimizer._learning_rate if kind == "plain" else None, tested.train_function
    variables = [id(variable) for variable in tested.optimizer.variables]
    finder.run(tested, X, Y, batch_size=8)
    same(everything(tested), before)
    same_state(random_state.capture(), generators)
    assert tested.history is history
    assert tested.train_function is function
    assert tested.stop_training is False
    assert rate is None or tested.optimizer._learning_rate is rate
    assert [id(variable) for variable in tested.optimizer.variables] == variables
    assert train(tested) == second
    same(everything(tested), everything(plain))
    assert len(finder.losses) > 3


def test_after_an_error_everything_is_as_before():
    net = rich_model()
    net.fit(X, Y, verbose=0)
    before = everything(net)

    class Broken(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            if i == 2:
                raise OSError("gone")
            return X[:8], Y[:8]

    with pytest.raises(Exception, match="gone"):
        FindLR(steps=20).run(net, Broken())
    same(everything(net), before)
    assert float(net.optimizer.learning_rate) == pytest.approx(0.01)


def test_data_with_a_state_are_put_back():
    class Walk(keras.utils.PyDataset):
        epoch = 0

        def __len__(self):
            return 4

        def __getitem__(self, i):
            return X[i * 8 : i * 8 + 8], Y[i * 8 : i * 8 + 8]

        def on_epoch_end(self):
            self.epoch += 1

        def state_dict(self):
            return {"epoch": self.epoch}

        def load_state_dict(self, state):
            self.epoch = state["epoch"]

    walk = Walk()
    walk.epoch = 5
    FindLR(steps=10).run(rich_model(), walk)
    assert walk.epoch == 5


def test_as_a_callback_of_a_fit_of_its_own():
    net = rich_model()
    net.fit(X, Y, verbose=0)
    before, finder = everything(net), FindLR(1e-5, 1e-2, steps=9, diverge=50.0)
    history = net.fit(X, Y, epochs=50, batch_size=16, verbose=0, callbacks=[finder])
    assert len(finder.losses) == 9
    assert len(history.history["loss"]) == 3
    # The metrics are those of the last epoch of the test until the next epoch begins; the model is as it was.
    same(everything(net), before)


def test_a_model_without_weights_yet_gets_those_it_would_have_got():
    histories = []
    for test in (False, True):
        net = rich_model(build=False)
        if test:
            FindLR(1e-4, 1.0, steps=5).run(net, X, Y, batch_size=8)
        histories.append(net.fit(X, Y, batch_size=8, verbose=0).history)
    assert histories[0] == histories[1]


def test_it_stops_when_the_loss_diverges():
    net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    net.compile("sgd", "mse")
    finder = FindLR(1e-3, 1e6, steps=200)
    finder.run(net, X, Y, batch_size=48)
    assert 20 < len(finder.losses) < 150
    assert finder.losses[-1] > 4 * finder.losses.min()
    assert np.isfinite(net.get_weights()[0]).all()
    suggestion = finder.suggestion
    # Gradient descent on a quadratic diverges at 2 / L, L the largest eigenvalue of its Hessian.
    inputs = np.concatenate([X, np.ones((48, 1))], 1)
    limit = 2 / np.linalg.eigvalsh(2 * inputs.T @ inputs / 48).max()
    assert limit / 100 < suggestion.steepest < limit
    assert limit / 30 < suggestion.tenth_of_minimum < limit / 4


def test_nan_ends_it():
    net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    net.compile("sgd", lambda y, p: ops.where(ops.mean(p**2) > 1e3, float("nan"), ops.mean((y - p) ** 2, -1)))
    finder = FindLR(1e-2, 1e6, steps=100, diverge=1e9)
    finder.run(net, X, Y, batch_size=48)
    assert np.isnan(finder.losses[-1])
    assert np.isfinite(finder.losses[:-1]).all()
    assert np.isfinite(finder.smoothed).all()
    assert finder.suggestion.steepest is not None


def test_steps_that_loss_scaling_leaves_out_do_not_count():
    net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    scaling = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.1), initial_scale=2.0**127, dynamic_growth_steps=10**6
    )
    net.compile(scaling, "mse")
    finder = FindLR(1e-8, 1e-6, steps=6)
    finder.run(net, X * 100, Y * 100, batch_size=48)
    np.testing.assert_allclose(finder.rates, 1e-8 * 100 ** (np.arange(6) / 5))
    assert finder._drawn > 6


def test_the_smoothed_curve_and_its_suggestions():
    finder = FindLR(1e-4, 1.0, steps=81, smoothing=0.5)
    at = np.log10(1e-4 * 1e4 ** (np.arange(81) / 80))
    losses = 2 - 1 / (1 + np.exp(-5 * (at + 2.5))) + 50 * np.maximum(at + 1, 0) ** 2
    finder._found = dict(enumerate(losses))
    cut = np.minimum(losses, 4 * losses.min())
    at_minimum = 10 ** at[np.argmin(losses)]
    expected = [np.average(cut, weights=0.5 ** np.abs(np.arange(81) - k)) for k in range(81)]
    np.testing.assert_allclose(finder.smoothed, expected, rtol=1e-12)
    assert finder.suggestion.steepest == pytest.approx(10**-2.5, rel=0.15)
    assert 0.3 < finder.suggestion.tenth_of_minimum / (at_minimum / 10) <= 1.0
    finder._found = dict(enumerate(np.arange(1.0, 5.0)))
    assert finder.suggestion.steepest is None


def test_the_picture(tmp_path):
    finder = FindLR(1e-4, 1.0, steps=5)
    finder._found = {0: 2.0, 1: 1.9, 2: 1.0, 3: 0.5, 4: float("inf")}
    (found,) = plots(finder.plot(tmp_path / "rates.html").read_text(encoding="utf-8"))
    assert (found["x_label"], found["log_x"], found["x"]) == ("learning rate", True, pytest.approx(finder.rates.tolist()))
    assert [one["name"] for one in found["series"]] == ["loss", "smoothed"]
    assert "Steepest descent at" in found["title"]
    drawn = ElementTree.parse(finder.plot(tmp_path / "rates.svg")).getroot()
    lines = [one.get("points").split() for one in drawn.iter("{http://www.w3.org/2000/svg}polyline")]
    # Five rates, one in each decade: equal steps across; the lowest loss is at the bottom, the highest at the top.
    places = np.array([[float(number) for number in point.split(",")] for point in lines[0]])
    np.testing.assert_allclose(places[:, 0], np.linspace(60, 620, 5), atol=0.1)
    assert (places[:, 1].max(), places[:, 1].min()) == (340, 44)
    assert len(lines) == 2
    assert len(list(drawn.iter("{http://www.w3.org/2000/svg}circle"))) == 1
    with pytest.raises(ValueError, match="is a page"):
        finder.plot(tmp_path / "rates.png")
    with pytest.raises(ValueError, match="no test yet"):
        FindLR().picture()


@pytest.mark.parametrize(("arguments", "words"), [
    ({"low": 0}, "low"), ({"low": 1.0, "high": 0.5}, "high"), ({"steps": 1}, "steps"), ({"smoothing": 1}, "smoothing"),
    ({"diverge": 1}, "diverge"),
])  # fmt: skip
def test_bad_input(arguments, words):
    with pytest.raises(ValueError, match=f"`{words}`"):
        FindLR(**arguments)


def test_what_it_cannot_test_is_named():
    net = rich_model()
    with pytest.raises(TypeError, match="FindLR chooses `epochs` itself"):
        FindLR().run(net, X, Y, epochs=3)
    if keras.backend.backend() != "torch":  # where Keras itself refuses it
        net.compile("sgd", "mse", steps_per_execution=2)
        with pytest.raises(ValueError, match="steps_per_execution=1"):
            FindLR().run(net, X, Y)
