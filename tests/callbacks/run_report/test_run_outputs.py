"""The parts of RunReport: alone in a fit, together, and in a run that is killed and goes on."""

import csv
import json
import re

import keras
import numpy as np
import pytest

from kerasmith.callbacks.epoch_counter import EpochCounter
from kerasmith.callbacks.live_progress import LiveProgress
from kerasmith.callbacks.prediction_snapshots import PredictionSnapshots
from kerasmith.callbacks.resume import Resume
from kerasmith.callbacks.run_report.history_csv import HistoryCSV
from kerasmith.callbacks.run_report.report_page import ReportPage
from kerasmith.callbacks.run_report.run_directory import set_aside
from kerasmith.callbacks.run_report.run_report import RunReport
from kerasmith.callbacks.run_report.summary_file import SummaryFile
from kerasmith.callbacks.tensorboard import TensorBoard
from tests.callbacks.runs import X, fit, model
from tests.callbacks.test_live_progress import plain_console, written
from tests.callbacks.test_tensorboard import read, tensors
from tests.report.html_checks import assert_loads_nothing, plots

pytestmark = pytest.mark.heavy("compiles a fit to look at what the host writes", on=("jax", "tensorflow"), seconds=2)

FILES = ["history.csv", "model.keras", "report.html", "report.json", "summary.json"]


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_each_part_writes_its_file_alone(tmp_path):
    history = HistoryCSV(tmp_path / "log.csv")
    summary = SummaryFile(tmp_path / "figures.json", title="mine", config={"seed": 7})
    page = ReportPage(tmp_path / "page.html", config={"seed": 7})
    page.add_section("Notes", "<p>by hand</p>")
    summary.add_summary(score=0.5)
    logged = fit(model(), [history, summary, page])
    assert names(tmp_path) == ["figures.json", "log.csv", "page.html"]
    assert [float(row["loss"]) for row in rows(history.path)] == logged["loss"] == [row["loss"] for row in history.rows]
    found = json.loads(summary.path.read_text())
    assert (found["title"], found["status"], found["epochs"], found["score"]) == ("mine", "completed", 3, 0.5)
    assert found["final"]["val_loss"] == logged["val_loss"][-1]
    shown = assert_loads_nothing(page.path.read_text())
    assert "Completed 3 epochs" in shown.text("p")
    assert "by hand" in shown.text("p")
    assert tmp_path.name in shown.text("h1")
    assert len(plots(page.path.read_text())) == 3


def test_the_parts_alone_write_what_a_report_writes(tmp_path):
    history, report = HistoryCSV(tmp_path / "history.csv"), RunReport(tmp_path / "run")
    fit(model(), [history, report])
    assert history.path.read_text() == (tmp_path / "run" / "history.csv").read_text()


@pytest.mark.parametrize("part", [HistoryCSV, SummaryFile, ReportPage])
def test_a_place_that_is_missing_is_refused(tmp_path, part):
    for path in (tmp_path / "no" / "file", tmp_path):
        with pytest.raises(ValueError, match="a directory that exists"):
            part(path)
    assert names(tmp_path) == []


def test_a_history_of_another_training_is_renamed(tmp_path):
    path = tmp_path / "history.csv"
    for run in range(3):
        logged = fit(model(), [HistoryCSV(path)], epochs=run + 1)
    assert names(tmp_path) == ["history.csv", "history.csv.bak", "history.csv.bak2"]
    assert len(rows(path)) == 3
    assert len(rows(tmp_path / "history.csv.bak")) == 1
    assert float(rows(path)[-1]["loss"]) == logged["loss"][-1]


def test_set_aside(tmp_path):
    assert set_aside(tmp_path / "none") is None
    (tmp_path / "file").write_text("1")
    assert set_aside(tmp_path / "file") == tmp_path / "file.bak"
    assert names(tmp_path) == ["file.bak"]


def test_a_kept_directory_in_which_training_begins_anew(tmp_path):
    fit(model(), [RunReport(tmp_path)], epochs=2)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / ".report.html.77.tmp").write_text("draft")
    before = {name: (tmp_path / name).read_bytes() for name in FILES}
    report = RunReport(tmp_path, keep=True)
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == before
    assert not (tmp_path / ".report.html.77.tmp").exists()
    fit(model(), [report], epochs=1)
    assert names(tmp_path) == sorted([*FILES, *(f"{name}.bak" for name in FILES), "checkpoints"])
    assert {name: (tmp_path / f"{name}.bak").read_bytes() for name in FILES} == before
    assert len(rows(tmp_path / "history.csv")) == 1


def test_keep_and_overwrite_exclude_each_other(tmp_path):
    (tmp_path / "history.csv").write_text("mine")
    with pytest.raises(ValueError, match="both are True"):
        RunReport(tmp_path, keep=True, overwrite=True)
    with pytest.raises(ValueError, match="or keep=True to go on in it"):
        RunReport(tmp_path)
    assert (tmp_path / "history.csv").read_text() == "mine"


def test_a_state_without_rows_forgets_rows_of_later(tmp_path):
    states = []

    class Keep(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            states.append(report.state_dict())

    report = RunReport(tmp_path)
    fit(model(), [report, Keep()], epochs=1)
    again = RunReport(tmp_path, keep=True)
    for _ in range(2):
        again.load_state_dict(states[1])
    assert "history.csv" not in names(tmp_path)
    fit(model(), [again], epochs=2)
    assert names(tmp_path) == FILES
    assert len(rows(tmp_path / "history.csv")) == 2


def test_epochs_are_counted_over_fits():
    counter = EpochCounter()
    assert [counter.end(e) for e in (0, 1)] == [1, 2]
    counter.begin_fit()
    assert [counter.end(e) for e in (2, 3)] == [3, 4]  # initial_epoch=2
    counter.begin_fit()
    assert [counter.end(e) for e in (0, 1)] == [5, 6]
    again = EpochCounter()
    again.load(counter.last)
    assert [again.end(e) for e in (2, 3)] == [7, 8]  # resumed in the middle of the third fit


def test_a_pause_is_told(tmp_path):
    class Limit(keras.callbacks.Callback):
        pausing = False

        def on_epoch_end(self, epoch, logs=None):
            self.pausing = self.model.stop_training = True

    report = RunReport(tmp_path)
    fit(model(), [report, Limit()])
    assert report.status == "paused"
    assert "Paused after 1 of 3 epochs" in assert_loads_nothing((tmp_path / "report.html").read_text()).text("p")


class Kill(keras.callbacks.Callback):
    """Ends the training without `on_train_end`, as a kill does, before one step."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.place = (epoch, batch)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == self.place:
            raise KeyboardInterrupt

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


def images_model():
    keras.utils.set_random_seed(4)
    net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(2)])
    net.add(keras.layers.Softmax())
    net.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


def run(directory, *, kill=None, every="epoch"):
    """A training with all that watches one; ends early at `kill`."""
    report = RunReport(directory, keep=True, title="A run")
    board = TensorBoard(directory, flat=True, histograms=2)
    console = plain_console()
    pictures = X[:4].reshape(4, 3, 1)
    watchers = [
        report,
        board,
        PredictionSnapshots(X[:4], np.zeros(4, int), images=pictures, every=2, report=report, tensorboard=board),
        LiveProgress(console),
        Resume(directory / "checkpoints", every, verbose=0),
        *([Kill(*kill)] if kill else []),
    ]
    net, labels = images_model(), (X.sum(1) > 1.5).astype("int32")
    data = {"x": X, "y": labels, "validation_data": (X[:8], labels[:8])}
    try:
        logged = net.fit(**data, epochs=4, batch_size=8, verbose=0, shuffle=False, callbacks=watchers)
        return report, written(console), logged.history
    except KeyboardInterrupt:
        return None


@pytest.mark.parametrize(("every", "kills"), [("epoch", [(2, 1)]), (3, [(1, 2), (3, 3)])])
def test_files_after_a_kill_are_those_of_a_run_without(tmp_path, every, kills):
    plain, _, logged = run(tmp_path / "plain")
    for kill in kills:
        assert run(tmp_path / "killed", kill=kill, every=every) is None
    report, said, again = run(tmp_path / "killed", every=every)
    assert again == logged
    assert rows(tmp_path / "killed" / "history.csv") == rows(tmp_path / "plain" / "history.csv")
    expected, found = (read(tmp_path / name) for name in ("plain", "killed"))
    assert found == expected
    a, b = (tensors(tmp_path / name, "snapshots") for name in ("plain", "killed"))
    assert [step for step, _ in a] == [step for step, _ in b] == [1, 3]
    for (_, x), (_, y) in zip(a, b, strict=True):
        assert x.tolist() == y.tolist()
    a, b = (json.loads((tmp_path / name / "summary.json").read_text()) for name in ("plain", "killed"))
    assert (a["final"], a["best"], a["epochs"], a["status"]) == (b["final"], b["best"], b["epochs"], b["status"])
    assert len(b["epoch_seconds"]) == 4
    assert min(b["epoch_seconds"]) >= 0
    pages = [assert_loads_nothing((tmp_path / name / "report.html").read_text()) for name in ("plain", "killed")]
    assert pages[0].text("figcaption") == pages[1].text("figcaption") != ""
    assert "After epoch 4." in pages[1].text("p")
    assert {*FILES, "checkpoints"} < set(names(tmp_path / "killed"))
    assert not list((tmp_path / "killed").glob("*.bak*"))
    assert re.search(r"^so far [1-3] epochs? in ", said)
    assert re.search(r"^4 epochs in .*best val_loss", said, re.MULTILINE)
    assert plain.rows == report.rows


def test_a_finished_run_that_is_started_again_keeps_its_files(tmp_path):
    run(tmp_path)
    history, before = (tmp_path / "history.csv").read_bytes(), read(tmp_path)
    report, said, logged = run(tmp_path)
    assert report.status == "completed"
    assert (tmp_path / "history.csv").read_bytes() == history
    assert read(tmp_path) == before
    shown = assert_loads_nothing((tmp_path / "report.html").read_text())
    assert "Completed 4 epochs" in shown.text("p")
    assert "Snapshots" in shown.text("h2")
    assert said.startswith("4 epochs in ")
    assert len(logged["loss"]) == 4
