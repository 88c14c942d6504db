"""ReduceOnPlateau against PyTorch's and Keras' own, around schedules, in any place of the list, saved and resumed."""

import itertools
import math

import keras
import numpy as np
import pytest
import torch
from keras import ops

from kerasmith.callbacks import ScheduleLR
from kerasmith.callbacks.reduce_on_plateau import ReduceOnPlateau
from kerasmith.callbacks.resume import Resume
from kerasmith.keras_internals.learning_rate import rate_now, schedule_of
from kerasmith.schedules import CosineRestarts, Shifted
from kerasmith.schedules.scaled import Scaled

X, Y = np.ones((4, 1), "float32"), np.zeros((4, 1), "float32")
SCHEDULE = CosineRestarts(T_0=50, eta_max=0.3)


def model(rate=0.5, **keywords):
    net = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    net.compile(keras.optimizers.SGD(rate, **keywords), "mse")
    return net


class Feed(keras.callbacks.Callback):
    """Logs given values as `score`."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["score"] = self.values[epoch]


def factors(callback, values):
    """The factor after each epoch, without any training."""
    net = model()
    callback.set_model(net)
    callback.on_train_begin()
    found = []
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"score": value, "learning_rate": 0.0})
        found.append(callback.total)
    return found


def noisy(seed, epochs=60):
    rng = np.random.default_rng(seed)
    return (np.exp(-np.arange(epochs) / 8) + 0.05 * rng.standard_normal(epochs)).round(3).tolist()


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("patience", "cooldown", "relative", "mode"), [
    (1, 0, False, "min"), (3, 0, True, "min"), (3, 4, False, "min"), (2, 2, True, "max"), (4, 1, False, "max"),
])  # fmt: skip
def test_decides_as_pytorch(seed, patience, cooldown, relative, mode):
    values = [v if mode == "min" else 1.5 - v for v in noisy(seed)]
    kind = "rel" if relative else "abs"
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    # PyTorch reduces after more than `patience` bad epochs, and its cooldown is one epoch longer.
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer,
        mode,
        0.5,
        patience - 1,
        threshold=0.01,
        threshold_mode=kind,
        cooldown=max(cooldown - 1, 0),
        min_lr=0.01,
        eps=0,
    )
    expected = []
    for value in values:
        scheduler.step(value)
        expected.append(optimizer.param_groups[0]["lr"])
    got = factors(
        ReduceOnPlateau("score", 0.5, patience, mode, min_delta=0.01, threshold_mode=kind, cooldown=cooldown, min_factor=0.01),
        values,
    )
    np.testing.assert_allclose(got, expected, rtol=1e-9)
    assert got[-1] < 0.5


@pytest.mark.parametrize(("patience", "cooldown"), [(0, 0), (2, 0), (2, 3)])
def test_trains_as_keras_with_a_plain_rate(patience, cooldown):
    values, rates = noisy(3, 24), []
    for make in (
        lambda: ReduceOnPlateau("score", 0.6, patience, "min", cooldown=cooldown, min_factor=0.05),
        lambda: keras.callbacks.ReduceLROnPlateau("score", 0.6, patience, mode="min", cooldown=cooldown, min_lr=0.025),
    ):
        history = model(0.5).fit(X, Y, epochs=24, verbose=0, callbacks=[Feed(values), make()]).history
        rates.append(history["learning_rate"])
    np.testing.assert_allclose(rates[0], rates[1], rtol=1e-6)
    assert rates[0][-1] < 0.5


def expected_run(schedule, values, weight=1.0):
    """Plain gradient descent on w^2, one step an epoch, a plateau after two epochs."""
    best, wait, factor, rates = math.inf, 0, 1.0, []
    for step, value in enumerate(values):
        rates.append(factor * float(ops.convert_to_numpy(schedule(step))))
        weight -= rates[-1] * 2 * weight
        best, wait = (value, 0) if value < best - 1e-4 else (best, wait + 1)
        if wait == 2:
            factor, wait = factor / 2, 0
    return rates, weight


VALUES = [3, 2, 2, 2, 1, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))))
def test_scales_a_schedule_in_any_order_and_over_two_fits(order):
    net = model()
    both = [ScheduleLR(SCHEDULE), ReduceOnPlateau("score", 0.5, 2, "min")]
    callbacks = [Feed(VALUES), *(both[i] for i in order)]
    history = net.fit(X, Y, epochs=6, verbose=0, callbacks=callbacks).history["learning_rate"]
    history += net.fit(X, Y, epochs=10, initial_epoch=6, verbose=0, callbacks=callbacks).history["learning_rate"]
    rates, weight = expected_run(SCHEDULE, VALUES)
    np.testing.assert_allclose(history, rates, rtol=1e-5)
    assert float(net.get_weights()[0][0, 0]) == pytest.approx(weight, rel=1e-5)
    assert rates[-1] < rates[0] / 5


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))))
def test_a_loaded_model_keeps_its_factor_once(order, tmp_path):
    def both():
        pair = [ScheduleLR(SCHEDULE), ReduceOnPlateau("score", 0.5, 2, "min")]
        return [Feed(VALUES), *(pair[i] for i in order)]

    net = model()
    net.fit(X, Y, epochs=4, verbose=0, callbacks=both())
    assert schedule_of(net.optimizer).factor == 0.5
    net.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    rates = again.fit(X, Y, epochs=6, initial_epoch=4, verbose=0, callbacks=both()).history["learning_rate"]
    np.testing.assert_allclose(rates, [0.5 * float(SCHEDULE(step)) for step in (4, 5)], rtol=1e-6)


def test_the_users_own_factor_is_left_alone():
    net, own = model(), Scaled(SCHEDULE, 0.5)
    callbacks = [Feed([1] * 9), ScheduleLR(own), ReduceOnPlateau("score", 0.1, 3, "min")]
    rates = net.fit(X, Y, epochs=2, verbose=0, callbacks=callbacks).history["learning_rate"]
    rates += net.fit(X, Y, epochs=5, initial_epoch=2, verbose=0, callbacks=callbacks).history["learning_rate"]
    steps = np.array([float(own(step)) for step in range(5)])
    np.testing.assert_allclose(rates, steps * [1, 1, 1, 1, 0.1], rtol=1e-5)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("first", [True, False])
def test_goes_on_in_another_process(plain, first, tmp_path):
    def run(epochs, *resume):
        schedule = [] if plain else [ScheduleLR(SCHEDULE)]
        mine = ReduceOnPlateau("score", 0.5, 2, "min")
        callbacks = [Feed(VALUES), *resume, *([mine, *schedule] if first else [*schedule, mine])]
        return model().fit(X, Y, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks).history

    whole = run(8)
    # The fourth epoch has found the plateau, the fifth is the first to be trained with it.
    run(4, Resume(tmp_path, verbose=0))
    assert run(8, Resume(tmp_path, verbose=0)) == whole
    assert whole["learning_rate"][4] < whole["learning_rate"][3] / 1.5


def test_inside_a_loss_scaling_optimizer_and_next_to_momentum():
    net = model()
    net.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(SCHEDULE, momentum=0.9)), "mse")
    net.fit(X, Y, epochs=4, verbose=0, callbacks=[Feed(VALUES), ReduceOnPlateau("score", 0.5, 2, "min")])
    assert rate_now(net.optimizer) == pytest.approx(0.5 * float(SCHEDULE(3)))


def test_a_shifted_schedule_of_each_fit_gets_the_factor():
    net = model()
    callbacks = [Feed(VALUES), ScheduleLR(SCHEDULE, restart=True), ReduceOnPlateau("score", 0.5, 2, "min")]
    net.fit(X, Y, epochs=4, verbose=0, callbacks=callbacks)
    rates = net.fit(X, Y, epochs=5, initial_epoch=4, verbose=0, callbacks=callbacks).history["learning_rate"]
    np.testing.assert_allclose(rates, [0.5 * float(SCHEDULE(0))], rtol=1e-6)
    assert isinstance(schedule_of(net.optimizer).schedule, Shifted)


def test_nan_is_a_bad_epoch_and_never_the_best():
    assert factors(ReduceOnPlateau("score", 0.5, 2, "min"), [math.nan, 1.0, math.nan, math.nan, 0.5]) == [1, 1, 1, 0.5, 0.5]


def test_the_direction_is_that_of_the_metric():
    from kerasmith.metrics import DiceScore

    net = model()
    net.compile("sgd", "mse", metrics=[DiceScore(name="overlap")])
    callback = ReduceOnPlateau("val_overlap")
    net.fit(X, Y, validation_data=(X, Y), verbose=0, callbacks=[callback])
    assert callback.direction == "max"


def test_epochs_without_validation_are_left_out():
    net = model()
    callback = ReduceOnPlateau("val_loss", 0.5, 1, min_delta=1e9)
    history = net.fit(X, Y, epochs=6, validation_data=(X, Y), validation_freq=2, verbose=0, callbacks=[callback]).history
    np.testing.assert_allclose(history["learning_rate"], [0.5] * 4 + [0.25] * 2)
    assert callback.total == 0.25


def test_what_cannot_be_watched_is_named():
    net = model()
    with pytest.raises(
        ValueError, match=r"watches `val_loss`, which is not in the logs. They have: learning_rate, loss. There is no"
    ):
        net.fit(X, Y, verbose=0, callbacks=[ReduceOnPlateau()])
    with pytest.raises(ValueError, match=r'high or low\. Write ReduceOnPlateau.*mode="max"'):
        net.fit(X, Y, verbose=0, callbacks=[ReduceOnPlateau("riddle")])


@pytest.mark.parametrize(("arguments", "words"), [
    ({"factor": 1.0}, "factor"), ({"patience": -1}, "patience"), ({"mode": "up"}, "mode"),
    ({"threshold_mode": "x"}, "threshold_mode"),
    ({"cooldown": -1}, "cooldown"), ({"min_factor": 1}, "min_factor"), ({"min_delta": -1}, "min_delta"),
])  # fmt: skip
def test_bad_input(arguments, words):
    with pytest.raises(ValueError, match=f"`{words}`"):
        ReduceOnPlateau(**arguments)
