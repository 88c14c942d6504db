"""A polish that was interrupted ends in the same weights, bit for bit."""

import keras
import numpy as np
import pytest

from kerasmith.physics import minimisation, polish
from tests.physics.test_polish import X, Y, network, trains, weights_of

STEPS = 12


class Interrupted(keras.callbacks.Callback):
    def __init__(self, at):
        super().__init__()
        self.at, self.heard = at, []

    def on_epoch_end(self, epoch, logs=None):
        self.heard.append(epoch)
        if epoch == self.at:
            raise KeyboardInterrupt


def interrupted(directory, at=6, steps=STEPS, **arguments):
    model, stop = network(), Interrupted(at)
    with pytest.raises(KeyboardInterrupt):
        polish(model, (X, Y), steps, directory=directory, callbacks=[stop], verbose=0, **arguments)
    return model


@pytest.fixture(scope="module")
def whole():
    model = network()
    history = polish(model, (X, Y), STEPS, verbose=0)
    return weights_of(model), history.history


@trains
def test_interrupted_and_run_again(whole, tmp_path, monkeypatch, capsys):
    stopped = interrupted(tmp_path / "a")
    assert not np.array_equal(weights_of(stopped), whole[0])
    listener, again = Interrupted(None), network()
    history = polish(again, (X, Y), STEPS, directory=tmp_path / "a", callbacks=[listener])
    np.testing.assert_array_equal(weights_of(again), whole[0])
    assert history.history == whole[1]
    assert listener.heard == list(range(STEPS))
    assert "polish: goes on from" in capsys.readouterr().out
    # The model that was interrupted goes on too, and one whose last answer was half written.
    assert polish(stopped, (X, Y), STEPS, directory=tmp_path / "a", verbose=0).history == whole[1]
    np.testing.assert_array_equal(weights_of(stopped), whole[0])
    interrupted(tmp_path / "b")
    answers = tmp_path / "b" / "polish.answers"
    answers.write_bytes(answers.read_bytes()[:-7])
    again = network()
    polish(again, (X, Y), STEPS, directory=tmp_path / "b", verbose=0)
    np.testing.assert_array_equal(weights_of(again), whole[0])


@trains
def test_with_more_steps_it_goes_on(whole, tmp_path):
    model = network()
    polish(model, (X, Y), 5, directory=tmp_path, verbose=0)
    again = network()
    polish(again, (X, Y), STEPS, directory=tmp_path, verbose=0)
    np.testing.assert_array_equal(weights_of(again), whole[0])


@trains
def test_rounds(tmp_path, monkeypatch):
    monkeypatch.setattr(minimisation, "ROUND", 4)
    whole = network()
    history = polish(whole, (X, Y), 10, verbose=0)
    assert len(history.history["loss"]) == 10
    for at in (2, 4, 9):
        interrupted(tmp_path / str(at), at, 10)
        again = network()
        found = polish(again, (X, Y), 10, directory=tmp_path / str(at), verbose=0)
        np.testing.assert_array_equal(weights_of(again), weights_of(whole))
        assert found.history == history.history
    with pytest.raises(ValueError, match="has made 8 steps already"):
        polish(network(), (X, Y), 3, directory=tmp_path / "9", verbose=0)


@trains
def test_a_directory_of_another_polish_is_refused(tmp_path):
    interrupted(tmp_path)
    with pytest.raises(ValueError, match="its data were"):
        polish(network(), (X[:20], Y[:20]), STEPS, directory=tmp_path)
    with pytest.raises(ValueError, match=r"the loss was .*and it is"):
        polish(network(), (X, Y + 1), STEPS, directory=tmp_path)
    with pytest.raises(ValueError, match="its weights were"):
        polish(network(keras.layers.Dense(4)), (X, Y), STEPS, directory=tmp_path)
    other = network()
    other.layers[0].bias.assign(np.ones(8))
    with pytest.warns(UserWarning, match="began with other weights"):
        polish(other, (X, Y), STEPS, directory=tmp_path, verbose=0)
    (tmp_path / "polish.npz").write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"polish.npz is damaged"):
        polish(network(), (X, Y), STEPS, directory=tmp_path)
