"""TimeLimit with a clock of its own: where it stops, what it says, and that a later run goes on."""

import datetime
import time

import keras
import numpy as np
import pytest

from kerasmith.callbacks.time_limit import TimeLimit, process_seconds, seconds_of

X, Y = np.ones((8, 1), "float32"), np.zeros((8, 1), "float32")


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class Work(keras.callbacks.Callback):
    """Lets time pass: so much for a step and for a validation."""

    def __init__(self, clock, step=1.0, validation=0.0):
        super().__init__()
        self.clock, self.step, self.validation, self.steps = clock, step, validation, 0

    def on_train_batch_end(self, batch, logs=None):
        self.clock.now += self.step
        self.steps += 1

    def on_test_batch_end(self, batch, logs=None):
        self.clock.now += self.validation


def fit(limit, clock, epochs=10, step=1.0, validation=0.0, callbacks=(), **keywords):
    """Four steps an epoch, one of validation; the steps that were made."""
    net = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    net.compile("sgd", "mse")
    work = Work(clock, step, validation)
    keywords = {"validation_data": (X[:2], Y[:2]), "shuffle": False, **keywords}
    net.fit(X, Y, batch_size=2, epochs=epochs, verbose=0, callbacks=[*callbacks, work, limit], **keywords)
    return work.steps


def limited(clock, seconds, **keywords):
    return TimeLimit(seconds, clock=clock, **{"margin": 0, "since": "train", **keywords})


@pytest.mark.parametrize(("seconds", "validation", "margin", "epochs"), [
    (20, 1, 0, 4), (24.9, 1, 0, 4), (25, 1, 0, 5), (27, 1, 3, 4), (50, 1, 0, 10), (16, 4, 0, 2),
])  # fmt: skip
def test_stops_with_the_epoch_after_which_none_fits(seconds, validation, margin, epochs, capsys):
    clock = Clock()
    limit = limited(clock, seconds, margin=margin)
    assert fit(limit, clock, validation=validation) == 4 * epochs
    assert clock.now - 100 == epochs * (4 + validation) <= seconds - margin
    assert limit.pausing == (epochs < 10)
    said = capsys.readouterr().out
    assert said.count("\n") == (epochs < 10)
    if epochs < 10:
        assert f"stops after epoch {epochs} of 10" in said
        assert "Run again to go on." in said


def test_stops_within_an_epoch_when_time_runs_out_there(capsys):
    clock = Clock()
    limit = limited(clock, 3.5)
    # At 1 s three steps fit no more: the second, the third and a fourth.
    assert fit(limit, clock) == 3
    assert limit.pausing
    assert "stops in epoch 1 of 10, 2.0s of 3.5s are over and no step more fits" in capsys.readouterr().out


def test_within_an_epoch_it_keeps_room_for_the_validation():
    clock = Clock()
    limit = limited(clock, 100.0)
    # Two epochs of 4 s and 10 s; then each step takes 20 s: 48 s + 3 * 20 s + 10 s fit no more.

    class Slower(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                work.step = 20.0

    work = Work(clock, 1.0, 10.0)
    net = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    net.compile("sgd", "mse")
    data = {"batch_size": 2, "validation_data": (X[:2], Y[:2])}
    net.fit(X, Y, epochs=9, verbose=0, callbacks=[Slower(), work, limit], **data)
    assert work.steps == 8 + 3
    assert clock.now - 100 == 28 + 60 + 10 <= 100


def test_pausing_is_set_before_the_step_in_which_it_stops():
    clock, seen = Clock(), []
    limit = limited(clock, 3.5)

    class First(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            seen.append((limit.pausing, self.model.stop_training))

    fit(limit, clock, callbacks=[First()])
    assert seen == [(False, False), (False, False), (True, False)]


def test_the_end_of_the_last_epoch_and_early_stopping_are_no_pause(capsys):
    clock = Clock()
    limit = limited(clock, 10.0)
    assert fit(limit, clock, epochs=2, step=1.25) == 8
    assert not limit.pausing
    clock = Clock()
    limit = limited(clock, 9.0)
    stop = keras.callbacks.EarlyStopping("loss", patience=1, min_delta=1e9)
    assert fit(limit, clock, epochs=5, callbacks=[stop]) == 8
    assert not limit.pausing
    assert capsys.readouterr().out == ""


def test_counts_over_several_fits():
    clock = Clock()
    limit = limited(clock, 20)
    assert fit(limit, clock, epochs=2) == 8
    clock.now += 5
    assert fit(limit, clock, epochs=5) == 4
    assert limit.elapsed == 17


def test_the_time_of_the_process_counts():
    clock = Clock()
    limit = limited(clock, process_seconds() + 17, since="process")
    assert fit(limit, clock) == 16
    assert 0 < process_seconds() < 24 * 3600
    before = process_seconds()
    time.sleep(0.05)
    assert 0.01 < process_seconds() - before < 30


@pytest.mark.parametrize(("total", "epochs"), [(False, 4), (True, 2)])
def test_a_run_that_goes_on_knows_how_long_an_epoch_takes(total, epochs):
    clock = Clock()
    first = limited(clock, 10)
    fit(first, clock)
    assert first.state_dict() == {"elapsed": 8.0, "epoch": 4.0, "validation": 0.0}
    clock = Clock()
    second = limited(clock, 16, total=total)

    class Load(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 0:
                second.load_state_dict(first.state_dict() | {"elapsed": 8.0})
                second.load_state_dict(first.state_dict() | {"elapsed": 8.0})

    assert fit(second, clock, callbacks=[Load()]) == 4 * epochs
    assert second.elapsed == 16


@pytest.mark.parametrize("seconds", [9.0, 10.9, 13.5])
def test_runs_that_go_on_end_as_one_that_was_never_stopped(seconds, tmp_path, capsys):
    from kerasmith.callbacks.resume import Resume

    def run(*callbacks):
        keras.utils.set_random_seed(3)
        net = keras.Sequential(
            [keras.Input((1,)), keras.layers.Dense(3), keras.layers.Dropout(0.3, seed=1), keras.layers.Dense(1)]
        )
        net.compile("adam", "mse")
        history = net.fit(X, Y, batch_size=2, epochs=5, shuffle=False, verbose=0, callbacks=list(callbacks)).history
        return net.get_weights(), history

    weights, history = run()
    runs = 0
    while runs < 9:
        clock = Clock()
        limit = limited(clock, seconds)
        got, resumed = run(limit, Work(clock), Resume(tmp_path, verbose=0))
        runs += 1
        if not limit.pausing:
            break
    assert 1 < runs < 9
    assert resumed == history
    for a, b in zip(got, weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_times():
    assert seconds_of("limit", datetime.timedelta(minutes=2)) == 120
    assert TimeLimit("1:00:00").margin == 60
    assert TimeLimit(100).margin == 5


@pytest.mark.parametrize(("limit", "error"), [
    ("an hour", ValueError), ("1:75", ValueError), ("1:2:3:4", ValueError), ("90", ValueError), (-1, ValueError),
    (None, TypeError), (True, TypeError), (float("nan"), ValueError),
])  # fmt: skip
def test_what_is_no_time_is_refused(limit, error):
    with pytest.raises(error, match="`limit` must"):
        TimeLimit(limit)


def test_a_margin_as_long_as_the_limit_is_refused():
    with pytest.raises(ValueError, match="`margin` must be shorter"):
        TimeLimit(60, margin=60)
    with pytest.raises(ValueError, match="`since` must be one of"):
        TimeLimit(60, since="boot")
