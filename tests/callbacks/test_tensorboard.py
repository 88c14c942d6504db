"""Event files are read back with TensorBoard's own reader."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

from kerasmith.callbacks.tensorboard import TensorBoard
from tests.callbacks.runs import fit, model

SOURCE = Path(__file__).resolve().parents[2] / "src"


def read(directory):
    """{tag: [(step, value)]} of a run."""
    run = EventAccumulator(str(directory))
    run.Reload()
    return {tag: [(event.step, event.value) for event in run.Scalars(tag)] for tag in run.Tags()["scalars"]}


def as_written(values):
    return [(step, np.float32(value)) for step, value in enumerate(values)]


def test_flat_file_has_the_names_of_the_logs(tmp_path):
    logged = fit(model(), [TensorBoard(tmp_path, flat=True)])
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("events.out.tfevents.")
    found = read(tmp_path)
    assert set(found) == {*logged, "learning_rate"}
    for name, values in logged.items():
        assert found[name] == as_written(values)
    assert found["learning_rate"] == as_written([0.05] * 3)


def test_runs_and_tags_are_those_of_keras(tmp_path):
    logged = fit(model(), [TensorBoard(tmp_path)])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["train", "validation"]
    train, validation = read(tmp_path / "train"), read(tmp_path / "validation")
    assert train["epoch_loss"] == as_written(logged["loss"])
    assert train["epoch_accuracy"] == as_written(logged["accuracy"])
    assert validation["epoch_loss"] == as_written(logged["val_loss"])
    assert set(train) - set(validation) == {"epoch_learning_rate"}


def test_the_file_is_whole_after_each_epoch(tmp_path):
    counts = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            (file,) = tmp_path.iterdir()
            counts.append(sum(1 for _ in LegacyEventFileLoader(str(file)).Load()))

    fit(model(), [TensorBoard(tmp_path, flat=True), Look()], epochs=2)
    assert counts == [2, 3]  # the version, then one event for each epoch


def test_a_second_fit_goes_on_to_the_right(tmp_path):
    net, board = model(), TensorBoard(tmp_path, flat=True)
    logged = fit(net, [board], epochs=2)["loss"] + fit(net, [board], epochs=1)["loss"]
    assert read(tmp_path)["loss"] == as_written(logged)
    assert len(list(tmp_path.iterdir())) == 2


def test_initial_epoch_is_the_first_step(tmp_path):
    fit(model(), [TensorBoard(tmp_path, flat=True)], epochs=5, initial_epoch=3)
    assert [step for step, _ in read(tmp_path)["loss"]] == [3, 4]


def test_nothing_is_written_before_the_first_epoch_ends(tmp_path):
    TensorBoard(tmp_path / "logs")
    assert list(tmp_path.iterdir()) == []


PROGRAM = """
import os, sys
from types import SimpleNamespace
import kerasmith
from kerasmith.callbacks.tensorboard import TensorBoard
import keras
board = TensorBoard(sys.argv[1], flat=True)
board.set_model(SimpleNamespace(optimizer=keras.optimizers.SGD(0.5)))
board.on_train_begin(); board.on_epoch_end(0, {"loss": 0.25}); board.on_train_end()
print("tensorflow" in sys.modules)
"""


def run(program, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="Keras itself imports TensorFlow on this backend")
def test_tensorflow_is_not_imported(tmp_path):
    assert run(PROGRAM, str(tmp_path)) == "False"
    assert read(tmp_path)["loss"] == [(0, 0.25)]


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto", None)
    with pytest.raises(ImportError, match="pip install tensorboard"):
        TensorBoard(tmp_path)
