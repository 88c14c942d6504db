"""What is asked of every callback: it is exported, watches without a trace, survives a kill, and leaves the step alone."""

import keras
import numpy as np
import pytest

from kerasmith import callbacks
from tests.callbacks import battery
from tests.callbacks.battery import BATCH, EPOCHS, ROWS, STEPS, X, Y
from tests.callbacks.interruption import InterruptAt, Interrupted

NOT_IN_A_FIT_OF_OTHERS = {"FindLR", "RefinePoints"}
"""One makes the `fit` in which it stands a test of learning rates, the other needs points and an equation."""


def _model():
    keras.utils.set_random_seed(4)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, activation="relu", name="first"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dropout(0.2, seed=1),
            keras.layers.Dense(1, activation="sigmoid", name="last"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    return model


def _fit(row, directory, *others):
    """(everything that training ends with, the callback)."""
    (directory / "own").mkdir(parents=True, exist_ok=True)
    data = battery.data()
    those = [] if row is None else [row.make(directory / "own", data)]
    model = _model()
    history = model.fit(
        data, epochs=EPOCHS, validation_data=(X[:BATCH], Y[:BATCH]), verbose=0, callbacks=[*others, *those]
    ).history
    return (history, [weights.tobytes() for weights in model.get_weights()]), those


def test_every_callback_has_a_row():
    exported = {name for name, value in vars(callbacks).items() if isinstance(value, type)}
    assert {n for n in exported if issubclass(getattr(callbacks, n), keras.callbacks.Callback)} == {
        *ROWS,
        *NOT_IN_A_FIT_OF_OTHERS,
    }


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return _fit(None, tmp_path_factory.mktemp("alone"))[0]


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.only_watches])
def test_one_that_watches_leaves_no_trace(name, tmp_path, alone):
    (history, weights), _ = _fit(ROWS[name], tmp_path)
    assert weights == alone[1]
    assert {key: history[key] for key in alone[0]} == alone[0]


@pytest.mark.parametrize("name", [name for name in ROWS if name != "Resume"])
def test_one_that_is_killed_goes_on_as_if_nothing_had_happened(name, tmp_path):
    row = ROWS[name]
    whole, (one,) = _fit(row, tmp_path / "whole")
    expected = row.result(one, tmp_path / "whole" / "own")
    resume = callbacks.Resume(tmp_path / "checkpoints", every=3, verbose=0)
    with pytest.raises(Interrupted):
        _fit(row, tmp_path / "cut", resume, InterruptAt(1, 2))
    resume.wait()
    assert len(list((tmp_path / "checkpoints").glob("*.state"))) == 2
    resumed, (one,) = _fit(row, tmp_path / "cut", callbacks.Resume(tmp_path / "checkpoints", every=3, verbose=0))
    assert resumed == whole
    assert row.result(one, tmp_path / "cut" / "own") == expected


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="only JAX keeps the state outside of the model in a step")
@pytest.mark.parametrize("name", ROWS)
def test_none_reads_the_state_in_every_step(name, tmp_path, monkeypatch):
    reads, inside = [], []

    def in_a_hook(real):
        def hook(*args, **kwargs):
            inside.append(True)
            try:
                return real(*args, **kwargs)
            finally:
                inside.pop()

        return hook

    real = keras.Model.jax_state_sync
    monkeypatch.setattr(keras.Model, "jax_state_sync", lambda model: (reads.extend(inside), real(model))[1])
    for hook in ("on_train_batch_begin", "on_train_batch_end"):
        monkeypatch.setattr(keras.callbacks.CallbackList, hook, in_a_hook(getattr(keras.callbacks.CallbackList, hook)))
    _fit(ROWS[name], tmp_path)
    assert len(reads) < EPOCHS * STEPS / 2


@pytest.mark.parametrize("name", ROWS)
def test_second_fit(name, tmp_path):
    """The same object in a `fit` that goes on, as in a notebook."""
    if name == "Resume":
        pytest.skip("a finished training is not trained again: test_resume.py")
    model, data = _model(), battery.data()
    one = ROWS[name].make(tmp_path, data)
    for _ in range(2):
        model.fit(data, epochs=2, validation_data=(X[:BATCH], Y[:BATCH]), verbose=0, callbacks=[one])
    assert all(np.isfinite(weights).all() for weights in model.get_weights())
    state = one.state_dict() if hasattr(one, "state_dict") else None
    if state is not None:
        one.load_state_dict(state)
        again = one.state_dict()  # clocks go on
        assert again.keys() == state.keys()
        assert all(again[key] == value for key, value in state.items() if isinstance(value, (int, str)))
