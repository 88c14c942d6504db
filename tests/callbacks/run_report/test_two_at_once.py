"""Two trainings that write to one place at the same time: both go on, and neither loses anything."""

import os
import re
import signal
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest

from kerasmith.callbacks import HistoryCSV, PredictionSnapshots, ReportPage, RunReport, SummaryFile

pytestmark = pytest.mark.host("files of two trainings: the backend computes the same")

X = np.random.default_rng(0).random((8, 4, 4, 1)).astype("float32")


def train(callbacks, inner=None, epochs=2):
    """Trains; returns what was told. `inner` is called after the first epoch."""

    class Inner(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if inner is not None and epoch == 0:
                inner()

    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 3, padding="same")])
    model.compile("sgd", "mse")
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        model.fit(X, X, epochs=epochs, verbose=0, callbacks=[*callbacks, Inner()])
    return [str(one.message) for one in found if "another training writes" in str(one.message)]


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def content(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


def test_two_reports_in_one_directory(tmp_path):
    first = RunReport(tmp_path / "run")
    told, reports = [], []

    def other_trainings():
        before = content(tmp_path / "run")
        with pytest.raises(ValueError, match=r"just now: another `fit`.*give this one another directory"):
            RunReport(tmp_path / "run", overwrite=True)
        for epochs in (3, 4):
            reports.append(RunReport(tmp_path / "run", keep=True))
            told.append(train([reports[-1]], epochs=epochs))
        assert content(tmp_path / "run") == before

    assert not train([first], other_trainings)
    files = ["history.csv", "model.keras", "report.html", "report.json", "summary.json"]
    places = [tmp_path / name for name in ("run", "run-2", "run-3")]
    assert [names(place) for place in places] == [files] * 3
    assert [report.directory for report in (first, *reports)] == places
    assert [len((place / "history.csv").read_text().splitlines()) - 1 for place in places] == [2, 3, 4]
    for texts, place in zip(told, places[1:], strict=True):
        (text,) = texts
        assert text.startswith(f"RunReport: another training writes to {tmp_path / 'run'} just now: another `fit`")
        assert text.endswith(f"this one writes to {place}.")
    # One after the other, they are in one directory as ever.
    again = RunReport(tmp_path / "run", keep=True)
    assert not train([again])
    assert again.directory == tmp_path / "run"
    assert "history.csv.bak" in names(tmp_path / "run")


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (ReportPage, "page.html"),
        (SummaryFile, "figures.json"),
        (HistoryCSV, "log.csv"),
        (lambda path: PredictionSnapshots(X, directory=path.parent, name=path.name), "pictures"),
    ],
    ids=["page", "summary", "history", "pictures"],
)
def test_each_file_alone(tmp_path, make, path):
    def other_training():
        told.extend(train([make(tmp_path / path)], epochs=1))

    told = []
    assert not train([make(tmp_path / path)], other_training)
    stem, dot, ending = path.partition(".")
    assert names(tmp_path) == sorted([path, f"{stem}-2{dot}{ending}"])
    assert len(told) == 1


def test_both_in_one_list(tmp_path):
    reports = RunReport(tmp_path / "run"), RunReport(tmp_path / "run", keep=True)
    (text,) = train(reports)
    assert "just now: this `fit`" in text
    assert reports[1].directory == tmp_path / "run-2"
    assert names(tmp_path / "run") == names(tmp_path / "run-2")


SCRIPT = """
import sys, time, keras, numpy as np
from kerasmith.callbacks import RunReport
class Wait(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print("there", flush=True)
        time.sleep(120)
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(np.ones((4, 3)), np.ones((4, 1)), epochs=2, verbose=0, callbacks=[RunReport(sys.argv[1]), Wait()])
"""


def test_of_another_process(tmp_path):
    with subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True) as first:
        try:
            assert first.stdout.readline() == "there\n"
            before = content(tmp_path / "run")
            (text,) = train([RunReport(tmp_path / "run", keep=True)])
            assert re.search(rf"just now: process {first.pid} on ", text)
            assert content(tmp_path / "run") == before
        finally:
            os.kill(first.pid, signal.SIGKILL)
    # That of a process which was killed is free.
    assert not train([RunReport(tmp_path / "run", overwrite=True)])
    assert not any(name.endswith(".lock") for name in names(tmp_path / "run"))
