"""NumericsGuard with rollback: the run ends as a loop written by hand that leaves the bad batch out."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from kerasmith.callbacks.numerics_guard import NumericsGuard
from kerasmith.callbacks.schedule_lr import ScheduleLR
from kerasmith.schedules import CosineRestarts
from kerasmith.schedules.scaled import Scaled

BATCH = 4
RNG = np.random.default_rng(3)
X = RNG.uniform(0.5, 1.5, (40, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


def model(optimizer, loss="mse", middle=()):
    keras.utils.set_random_seed(9)
    net = keras.Sequential([keras.Input((3,)), layers.Dense(4, activation="tanh"), *middle, layers.Dense(1)])
    net.compile(optimizer, loss)
    return net


def fit(net, x, guard, *, epochs=2, y=Y, more=()):
    keywords = {"batch_size": BATCH, "shuffle": False, "epochs": epochs, "verbose": 0}
    return net.fit(x, y, callbacks=[guard, *more], **keywords).history


def by_hand(net, steps, rate_at=None):
    """Plain steps on the batches of these numbers; a rate before each if given. Returns the loss of each batch."""
    losses = []
    for number, step in enumerate(steps):
        part = slice(step * BATCH, (step + 1) * BATCH)
        if rate_at is not None:
            net.optimizer.learning_rate = rate_at(number)
        net.reset_metrics()
        losses.append(float(net.train_on_batch(X[part], Y[part])))
    return losses


def inverse_of_the_sum(y_true, y_pred):
    """A loss that is infinite where the label is 0."""
    return ops.mean(ops.square(y_pred - y_true), axis=-1) / ops.cast(y_true[:, 0] != 0, "float32")


def close(net, other):
    for ours, theirs in zip(net.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("every", [1, 4, 50])
def test_a_bad_input_is_left_out(every, capsys):
    x = X.copy()
    x[6 * BATCH + 1] = np.nan
    net, twin = model(keras.optimizers.Adam(0.01)), model(keras.optimizers.Adam(0.01))
    guard = NumericsGuard(rollback=True, every=every)
    history = fit(net, x, guard)
    good = [step for step in range(10) if step != 6]
    losses = by_hand(twin, good * 2)
    close(net, twin)
    np.testing.assert_allclose(history["loss"], np.reshape(losses, (2, 9)).mean(1), rtol=1e-5)
    assert [(f.kind, f.epoch, f.batch) for f in guard.findings] == [("input", 0, 6), ("input", 1, 6)]
    assert guard.rollbacks == 2
    # The data were at fault, not the rate.
    assert float(ops.convert_to_numpy(net.optimizer.learning_rate)) == pytest.approx(0.01)
    assert "Rollback 2 of 3" in capsys.readouterr().out
    assert int(net.optimizer.iterations) == 18


def test_a_plain_rate_is_lowered_from_the_last_copy_on():
    y = Y.copy()
    y[5 * BATCH] = 0.0
    net = model(keras.optimizers.SGD(0.1, momentum=0.5), inverse_of_the_sum)
    twin = model(keras.optimizers.SGD(0.1, momentum=0.5))
    guard = NumericsGuard(rollback=True, every=4, factor=0.25, verbose=0)
    fit(net, X, guard, y=y, epochs=1)
    assert [(f.kind, f.where, f.batch) for f in guard.findings] == [("loss", "inverse_of_the_sum", 5)]
    # Copies before batches 0 and 4; found after batch 7.
    by_hand(twin, [0, 1, 2, 3, 4, 6, 7, 8, 9], lambda n: 0.1 if n < 4 else 0.025)
    close(net, twin)
    assert float(ops.convert_to_numpy(net.optimizer.learning_rate)) == pytest.approx(0.025)


def test_a_schedule_is_lowered_too():
    schedule = CosineRestarts(T_0=20, eta_max=0.1)
    y = Y.copy()
    y[5 * BATCH] = 0.0
    net, twin = model("sgd", inverse_of_the_sum), model(keras.optimizers.SGD(0.1))
    guard = NumericsGuard(rollback=True, every=4, factor=0.5, verbose=0)
    fit(net, X, guard, y=y, more=[ScheduleLR(schedule)])
    rates = [float(schedule(step)) for step in range(18)]
    # In the second epoch the copy before batch 4 is that of step 13: batch 5 is left out again.
    factors = [1.0] * 4 + [0.5] * 9 + [0.25] * 5
    good = [0, 1, 2, 3, 4, 6, 7, 8, 9]
    by_hand(twin, good * 2, lambda n: rates[n] * factors[n])
    close(net, twin)
    assert guard.rollbacks == 2
    assert isinstance(net.optimizer._learning_rate, Scaled)
    assert net.optimizer._learning_rate.factor == 0.25
    assert net.optimizer._learning_rate.schedule is schedule


def test_after_the_last_rollback_training_stops():
    x = X.copy()
    x[[BATCH, 3 * BATCH, 5 * BATCH]] = np.nan
    net, twin = model(keras.optimizers.SGD(0.01)), model(keras.optimizers.SGD(0.01))
    guard = NumericsGuard(rollback=True, max_rollbacks=2, verbose=0)
    history = fit(net, x, guard)
    assert [f.batch for f in guard.findings] == [1, 3, 5]
    assert guard.rollbacks == 2
    assert len(history["loss"]) == 1
    assert "Training stops" in str(guard.finding)
    by_hand(twin, [0, 2, 4])
    close(net, twin)


def test_a_rate_that_explodes_is_lowered_until_it_does_not():
    net = model(keras.optimizers.SGD(300.0), middle=[layers.Dense(4)])
    guard = NumericsGuard(rollback=True, factor=1e-3, every=20, verbose=0)
    history = fit(net, X, guard, epochs=4)
    assert guard.finding is not None
    assert len(history["loss"]) == 4
    assert np.isfinite(history["loss"][-1])
    assert all(np.isfinite(w).all() for w in net.get_weights())


class Flaky(keras.callbacks.Callback):
    """Spoils a weight between two steps, as no replay of the batches can."""

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 5:
            weights = self.model.get_weights()
            weights[0][0, 0] = np.nan
            self.model.set_weights(weights)


def test_what_no_step_does_is_said_and_undone():
    net = model(keras.optimizers.SGD(0.01))
    guard = NumericsGuard(rollback=True, every=4, max_rollbacks=1, verbose=0)
    history = fit(net, X, guard, epochs=1, more=[Flaky()])
    assert "could not be repeated" in str(guard.finding)
    assert guard.finding.batch == 5
    assert np.isfinite(history["loss"]).all()
    assert all(np.isfinite(w).all() for w in net.get_weights())


def test_state_goes_to_another_process():
    schedule = CosineRestarts(T_0=20, eta_max=0.1)
    y = Y.copy()
    y[5 * BATCH] = 0.0
    net = model(keras.optimizers.SGD(schedule), inverse_of_the_sum)
    guard = NumericsGuard(rollback=True, every=4, verbose=0)
    fit(net, X, guard, y=y, epochs=1)
    state = guard.state_dict()
    again = NumericsGuard(rollback=True, every=4, verbose=0)
    other = model(keras.optimizers.SGD(schedule), inverse_of_the_sum)
    again.set_model(other)
    for _ in range(2):
        again.load_state_dict(state)
    assert again.rollbacks == 1
    assert again.finding == guard.finding
    assert other.optimizer._learning_rate.factor == 0.5
    assert other.optimizer._learning_rate.schedule is schedule
    assert again.state_dict() == state


class AsksForState(keras.callbacks.Callback):
    """Reads the guard's state between two steps, as `Resume` does."""

    def __init__(self, guard, batch):
        super().__init__()
        self.guard, self.batch, self.rollbacks = guard, batch, None

    def on_train_batch_begin(self, batch, logs=None):
        if batch == self.batch:
            self.rollbacks = self.guard.state_dict()["rollbacks"]
            self.weights = self.model.get_weights()


def test_state_is_never_that_of_a_spoilt_training():
    x = X.copy()
    x[6 * BATCH + 1] = np.nan
    net, twin = model(keras.optimizers.Adam(0.01)), model(keras.optimizers.Adam(0.01))
    guard = NumericsGuard(rollback=True, verbose=0)
    asks = AsksForState(guard, 8)
    fit(net, x, guard, epochs=1, more=[asks])
    assert asks.rollbacks == 1
    by_hand(twin, [0, 1, 2, 3, 4, 5, 7])
    for ours, theirs in zip(asks.weights, twin.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=1e-7)
    by_hand(twin, [8, 9])
    close(net, twin)


def test_a_function_as_rate_is_refused():
    net = model(keras.optimizers.SGD(lambda: 0.1))
    with pytest.raises(ValueError, match="LearningRateSchedule"):
        fit(net, X, NumericsGuard(rollback=True))
