"""What a resumed training is, what it refuses, and what it leaves alone."""

import os
import random
import re
import resource
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import losses
from kerasmith.callbacks import LossTerms, resume_checks
from kerasmith.callbacks.resume import Resume
from kerasmith.checkpoints import directory as checkpoint_directory
from kerasmith.keras_internals import versions
from tests.callbacks.interruption import Interrupted
from tests.callbacks.runs import X, Y


class InterruptAt(keras.callbacks.Callback):
    def __init__(self, epoch, batch=None):
        super().__init__()
        self.at, self.batch = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.is_there = epoch == self.at
        if self.is_there and self.batch is None:
            raise Interrupted

    def on_train_batch_end(self, batch, logs=None):
        if self.is_there and batch == self.batch:
            raise Interrupted


def _model(units=4, optimizer=None):
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(units), keras.layers.Dropout(0.2, seed=1), keras.layers.Dense(1, name="out")]
    )
    model.compile(optimizer or keras.optimizers.Adam(0.05), "mse", metrics=[keras.metrics.MeanAbsoluteError(name="mae")])
    return model


def _fit(
    directory, *others, model=None, every="epoch", x=X, y=Y, epochs=4, batch_size=8, keep=2, verbose=0, config=None, **options
):
    model = model or _model()
    resume = Resume(directory, every=every, keep=keep, config=config, verbose=verbose)
    try:
        history = model.fit(x, y, batch_size=batch_size, epochs=epochs, verbose=0, callbacks=[*others, resume], **options)
    finally:
        resume.wait()
    return history.history, [np.array(ops.convert_to_numpy(v)) for v in (*model.variables, *model.optimizer.variables)]


def _interrupt(directory, *at, **options):
    with pytest.raises(Interrupted):
        _fit(directory, InterruptAt(*at), **options)


def _same(one, two):
    return one[0] == two[0] and all(a.tobytes() == b.tobytes() for a, b in zip(one[1], two[1], strict=True))


def _files(directory):
    return sorted(path.name for path in directory.glob("*.state"))


def test_says_where_it_goes_on(tmp_path, capsys):
    whole = _fit(tmp_path / "whole")
    _interrupt(tmp_path / "cut", 2, 1, every=3)
    assert "Resume" not in capsys.readouterr().out
    assert _same(_fit(tmp_path / "cut", every=3, verbose=1), whole)
    assert "goes on at epoch 3, step 2" in capsys.readouterr().out


def test_finished_training_is_not_trained_again(tmp_path, capsys):
    first = _fit(tmp_path)
    assert _same(_fit(tmp_path, verbose=1), first)
    assert "this training is over (4 of 4 epochs)" in capsys.readouterr().out


def test_more_epochs_go_on_like_one_long_training(tmp_path):
    _fit(tmp_path / "parts", epochs=2)
    assert _same(_fit(tmp_path / "parts", epochs=4), _fit(tmp_path / "whole", epochs=4))


def test_averaged_weights_do_not_get_into_a_longer_training(tmp_path):
    def model():
        return _model(optimizer=keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.9))

    whole = _fit(tmp_path / "whole", model=model())
    half = _fit(tmp_path / "parts", model=model(), epochs=2)
    assert _same(_fit(tmp_path / "parts", model=model(), epochs=2), half)
    assert _same(_fit(tmp_path / "parts", model=model()), whole)


def test_training_that_stopped_early_stays_stopped(tmp_path, capsys):
    def stop():
        return keras.callbacks.EarlyStopping("loss", mode="max", patience=1, restore_best_weights=True)

    first = _fit(tmp_path, stop(), epochs=9)
    assert len(first[0]["loss"]) < 9
    assert _same(_fit(tmp_path, stop(), epochs=9, verbose=1), first)
    assert "stopped early" in capsys.readouterr().out


class Pause(keras.callbacks.Callback):
    """Ends this run for now, as `TimeLimit` does."""

    pausing = False

    def __init__(self, epoch, batch):
        super().__init__()
        self.at, self.batch = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.is_there = epoch == self.at

    def on_train_batch_end(self, batch, logs=None):
        self.pausing = self.pausing or (self.is_there and batch == self.batch)

    def on_train_batch_begin(self, batch, logs=None):
        if self.pausing:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        if self.pausing:
            self.model.stop_training = True


@pytest.mark.parametrize("at", [(1, 1), (1, 3)], ids=["in an epoch", "at its end"])
def test_a_pause_is_not_an_end(tmp_path, at):
    whole = _fit(tmp_path / "whole")
    paused = _fit(tmp_path / "parts", Pause(*at))
    assert len(paused[0]["loss"]) == 2
    assert _same(_fit(tmp_path / "parts"), whole)


class Draws(keras.callbacks.Callback):
    """Draws from the generators that all of a program share, as augmentation does."""

    def __init__(self):
        super().__init__()
        self.drawn = []

    def on_train_batch_end(self, batch, logs=None):
        of_keras = float(ops.convert_to_numpy(keras.random.uniform(())))
        self.drawn.append((random.random(), np.random.random(), of_keras))  # noqa: NPY002

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


@pytest.mark.skipif(
    tuple(map(int, keras.__version__.split(".")[:2])) < (3, 13),
    reason="set_random_seed of Keras 3.12 does not reset the generator of unseeded operations: no two runs are equal",
)
@pytest.mark.parametrize(("every", "left"), [("epoch", 12), (1, 10)])
def test_shared_generators_go_on_where_they_were(tmp_path, every, left):
    whole, parts = Draws(), Draws()
    _fit(tmp_path / "whole", whole, every=every)
    with pytest.raises(Interrupted):
        _fit(tmp_path / "parts", Draws(), InterruptAt(1, 2), every=every)
    _fit(tmp_path / "parts", parts, every=every)
    assert parts.drawn == whole.drawn[-left:]


def _cut(path):
    path.write_bytes(path.read_bytes()[:-3])


def _flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [_cut, _flip], ids=["cut", "flip"])
def test_damaged_checkpoint_is_told_and_the_previous_used(tmp_path, damage):
    whole = _fit(tmp_path / "whole")
    _interrupt(tmp_path / "cut", 3)
    newest = tmp_path / "cut" / _files(tmp_path / "cut")[-1]
    damage(newest)
    with pytest.warns(UserWarning, match=rf"{newest.name} is damaged \(.*The one before it is used"):
        assert _same(_fit(tmp_path / "cut"), whole)


def test_deleted_checkpoint(tmp_path):
    whole = _fit(tmp_path / "whole")
    _interrupt(tmp_path / "cut", 3)
    first, last = _files(tmp_path / "cut")
    (tmp_path / "cut" / last).unlink()
    assert _same(_fit(tmp_path / "cut"), whole)
    assert first not in _files(tmp_path / "cut")


def test_only_damaged_checkpoints_are_an_error_and_stay(tmp_path):
    _interrupt(tmp_path, 3)
    for name in _files(tmp_path):
        _flip(tmp_path / name)
    before = {name: (tmp_path / name).read_bytes() for name in _files(tmp_path)}
    model = _model()
    weights = [w.copy() for w in model.get_weights()]
    with pytest.raises(ValueError, match=r"Every checkpoint in .* is damaged"):
        _fit(tmp_path, model=model)
    assert {name: (tmp_path / name).read_bytes() for name in _files(tmp_path)} == before
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights()))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"batch_size": 4}, "batch size: 8 in the checkpoint, 4 here"),
        ({"config": {"seed": 3, "rate": [0.1]}}, "seed: 2 in the checkpoint, 3 here"),
        ({"config": {"seed": 2}}, r"rate: \[0.1\] in the checkpoint, None here"),
        ({"config": {"seed": 2, "rate": (0.1,), "new": 1}}, "new: None in the checkpoint, 1 here"),
        ({"x": X[:30], "y": Y[:30]}, "samples: 32 in the checkpoint, 30 here"),
        ({"x": X[:16], "y": Y[:16]}, "steps per epoch: 4 in the checkpoint, 2 here"),
        ({"model": lambda: _model(units=5)}, r"has shape \(3, 5\) here and \(3, 4\) in the checkpoint"),
        ({"model": lambda: _model(optimizer=keras.optimizers.SGD(0.1, momentum=0.9))}, "in the checkpoint only"),
    ],
    ids=["batch size", "config", "config without", "config with", "samples", "steps", "model", "optimizer"],
)
def test_checkpoint_of_another_training_is_refused(tmp_path, options, said):
    _interrupt(tmp_path, 2, config={"seed": 2, "rate": (0.1,)})
    before = _files(tmp_path)
    options = {"config": {"seed": 2, "rate": [0.1]}, **options}
    model = options.get("model", _model)()
    weights = [w.copy() for w in model.get_weights()]
    with pytest.raises(ValueError, match=said):
        _fit(tmp_path, **{**options, "model": model})
    assert _files(tmp_path) == before
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights()))


def test_checkpoint_of_another_backend_is_refused(tmp_path, monkeypatch):
    _interrupt(tmp_path, 2)
    real = keras.backend.backend()
    monkeypatch.setattr("keras.backend.backend", lambda: "another")
    with pytest.raises(ValueError, match=f"It was written on the backend {real}, this is another"):
        _fit(tmp_path)


def test_checkpoint_of_a_keras_with_another_order_of_data_is_refused(tmp_path, monkeypatch):
    _interrupt(tmp_path, 2)
    there, here = keras.__version__, "3.15.1" if versions.shuffles_by_counter() else "3.16.0"
    monkeypatch.setattr(resume_checks, "shuffles_by_counter", lambda version=here: versions.shuffles_by_counter(version))
    with pytest.raises(ValueError, match=f"written with Keras {re.escape(there)}.*another order.*keras=={re.escape(there)}"):
        _fit(tmp_path)


def test_untried_keras_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(resume_checks, "was_tried", lambda: False)
    with pytest.warns(UserWarning, match="tried with Keras 3.12 to 3.16"):
        _fit(tmp_path)


def test_data_that_ends_before_the_checkpoint(tmp_path):
    def batches(count):
        return ((X[:8], Y[:8]) for _ in range(count))

    with pytest.raises(Interrupted):
        _fit(tmp_path, InterruptAt(0, 2), x=batches(4), y=None, batch_size=None, every=2, epochs=1, shuffle=False)
    with pytest.raises(ValueError, match="The data ended before step 2 of epoch 1"):
        _fit(tmp_path, x=batches(1), y=None, batch_size=None, every=2, epochs=1, shuffle=False)


def test_old_checkpoints_and_drafts_go(tmp_path):
    (tmp_path / ".step-000000003.state.77.tmp").write_bytes(b"half")
    (tmp_path / "mine.txt").write_text("stays")
    _fit(tmp_path, every=3, keep=3)
    assert _files(tmp_path) == ["step-000000012.state", "step-000000015.state", "step-000000016.state"]
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".state") == ["mine.txt"]


def test_full_disk_leaves_the_last_good_checkpoint(tmp_path):
    """The operating system itself refuses more bytes: files of this process may not grow beyond a limit."""
    _interrupt(tmp_path, 2)
    good = {name: (tmp_path / name).read_bytes() for name in _files(tmp_path)}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
        with pytest.warns(UserWarning, match="could not be written to .*Training goes on"):
            history, _ = _fit(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert len(history["loss"]) == 4
    assert {name: (tmp_path / name).read_bytes() for name in _files(tmp_path)} == good
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".state"] == []


def test_directory_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ValueError, match=r"Cannot write into .*Choose a directory"):
        Resume(tmp_path / "file" / "below")


@pytest.mark.parametrize("every", [0, -1, True, "step", 2.5])
def test_bad_every(tmp_path, every):
    with pytest.raises(ValueError, match="`every` must be"):
        Resume(tmp_path, every=every)


@pytest.mark.parametrize("keep", [0, 1, True, "2"])
def test_bad_keep(tmp_path, keep):
    with pytest.raises(ValueError, match="`keep` must be"):
        Resume(tmp_path, keep=keep)


@pytest.mark.parametrize("other", [lambda path: Resume(path / "b"), lambda path: keras.callbacks.BackupAndRestore(path / "b")])
def test_two_that_set_where_training_begins(tmp_path, other):
    with pytest.raises(ValueError, match="Keep one"):
        _fit(tmp_path / "a", other(tmp_path))


def test_works_in_fit_only(tmp_path):
    with pytest.raises(RuntimeError, match=r"within `Model.fit` only"):
        Resume(tmp_path).on_train_begin()


class Counter(keras.callbacks.Callback):
    """State of a user's own, without the contract."""

    def __init__(self):
        super().__init__()
        self.steps, self.name = 0, "mine"

    def on_epoch_end(self, epoch, logs=None):
        self.steps += 1


class CounterWithState(Counter):
    def state_dict(self):
        return {"steps": self.steps}

    def load_state_dict(self, state):
        self.steps = state["steps"]


def test_forgetful_callback_is_named(tmp_path):
    with pytest.warns(UserWarning, match="Counter changes `steps` while it trains and has no"):
        _fit(tmp_path, Counter(), epochs=2)


def test_own_state_and_place_in_the_list(tmp_path):
    with pytest.raises(Interrupted):
        _fit(tmp_path, CounterWithState(), InterruptAt(2, 1))
    counter = CounterWithState()
    model = _model()
    model.fit(X, Y, batch_size=8, epochs=4, verbose=0, callbacks=[Resume(tmp_path, verbose=0), counter])
    assert counter.steps == 4


def test_callbacks_that_give_the_model_variables(tmp_path):
    """`LossTerms` does so when training begins, after `Resume` in this list."""

    def fit(directory, *others):
        model = _model()
        model.compile("adam", 0.5 * losses.Charbonnier() + keras.losses.Huber())
        resume = Resume(directory, verbose=0)
        try:
            return model.fit(X, Y, epochs=3, verbose=0, callbacks=[resume, LossTerms(), *others]).history
        finally:
            resume.wait()

    whole = fit(tmp_path / "whole")
    assert len(whole) > 1
    with pytest.raises(Interrupted):
        fit(tmp_path / "cut", InterruptAt(2))
    assert fit(tmp_path / "cut") == whole


def test_callback_that_is_gone_is_told(tmp_path):
    with pytest.raises(Interrupted):
        _fit(tmp_path, CounterWithState(), InterruptAt(2))
    with pytest.warns(UserWarning, match="has the state of CounterWithState, not in the list"):
        _fit(tmp_path)


def test_state_that_cannot_be_saved_is_an_error(tmp_path):
    class Odd(CounterWithState):
        def state_dict(self):
            return {"model": self.model}

    with pytest.raises(TypeError, match=r"'model'\]` cannot be saved"):
        _fit(tmp_path, Odd())


def test_same_model_can_be_fit_again(tmp_path):
    """Keras' own callback leaves the epoch to begin with on the model."""
    _interrupt(tmp_path, 2)
    model = _model()
    _fit(tmp_path, model=model)
    assert len(model.fit(X, Y, epochs=3, verbose=0).history["loss"]) == 3
    assert "finalize_variable_values" not in vars(model.optimizer)


def test_progress_of_a_directory(tmp_path):
    assert checkpoint_directory.progress(tmp_path / "none") is None
    _interrupt(tmp_path, 2, 2, every=2, config={"seed": 4})
    assert checkpoint_directory.progress(tmp_path) == {"epoch": 2, "batch": 2, "stopped": False, "config": {"seed": 4}}


SCRIPT = """
import sys, keras, numpy as np
from kerasmith.callbacks.resume import Resume
keras.utils.set_random_seed(1)
x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dropout(0.1), keras.layers.Dense(1)])
model.compile("adam", "mse")
slow = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: __import__("time").sleep(float(sys.argv[2])))
history = model.fit(x, x[:, :1], batch_size=8, epochs=8, verbose=0, callbacks=[slow, Resume(sys.argv[1], every=3, verbose=0)])
print(history.history["loss"], [w.tobytes().hex() for w in model.get_weights()])
"""


@pytest.mark.heavy("trains in four processes that are killed", seconds=15)
def test_kill_from_outside_in_fresh_processes(tmp_path):
    environment = {**os.environ, "KERAS_BACKEND": keras.backend.backend(), "PYTHONPATH": "src"}

    def start(name, seconds_a_step):
        command = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(tmp_path / name), str(seconds_a_step)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)

    # Slow enough not to end before it is killed, however late this process hears of its first checkpoint.
    killed = start("cut", 0.5)
    deadline = time.monotonic() + 300
    while len(list((tmp_path / "cut").glob("step-*[1-9]*.state"))) < 1:
        assert time.monotonic() < deadline
        assert killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    both = start("cut", 0), start("whole", 0)
    cut, whole = (process.communicate(timeout=300)[0] for process in both)
    assert cut == whole != b""
