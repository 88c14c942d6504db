"""What watches never ends a training: a full disk, a directory that is gone, a closed or narrow output, a broken picture."""

import ast
import io
import os
import pathlib
import shutil
import sys
import warnings

import keras
import numpy as np
import pytest
from rich.console import Console

import kerasmith
from kerasmith import callbacks
from kerasmith.callbacks.watcher import Watcher
from kerasmith.files.messages import warn
from kerasmith.metrics import ConfusionMatrix
from tests.callbacks.battery import IMAGES, ROWS, Tracked, X, Y

pytestmark = pytest.mark.host("files, outputs and messages of callbacks: the backend computes the same")

EPOCHS = 4
ACT = {"FindLR", "HardExampleMining", "ReduceOnPlateau", "RefinePoints", "ScheduleLR", "WeightAveraging"}
"""They change the training: what fails in them must not stay unsaid."""
KEEP = {"NumericsGuard", "Resume", "TimeLimit", "TopKCheckpoints"}
"""What they keep or end is wanted; a file that cannot be written warns each time, and the training goes on."""


class Rewritten(keras.metrics.Metric):
    """A metric whose picture cannot be drawn."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        pass

    def result(self):
        return 0.0

    def picture(self):
        raise RuntimeError("no font")


def watchers(directory):
    """Every callback that watches, with all it may write to."""
    report = callbacks.RunReport(directory / "run", keep=True)
    board = callbacks.TensorBoard(directory / "events", histograms=1, images=lambda step: {"noise": IMAGES[0]})
    places = {"directory": directory, "report": report, "tensorboard": board}
    return [
        report,
        board,
        callbacks.HistoryCSV(directory / "history.csv"),
        callbacks.SummaryFile(directory / "summary.json"),
        callbacks.ReportPage(directory / "report.html"),
        callbacks.CheckSetup("warning"),
        callbacks.LossTerms(),
        callbacks.GradientHealth(every=1, directory=directory, report=report),
        callbacks.PredictionSnapshots(X[:2], Y[:2], images=IMAGES, **places),
        callbacks.EvaluationPictures(X, Y, ConfusionMatrix(2, from_logits=False), **places),
        callbacks.FieldPictures(X, Y, **places),
        callbacks.Tracking(Tracked()),
        callbacks.LiveProgress(),
        callbacks.LiveProgress(Console(force_terminal=True, width=60)),
    ]


def keepers(directory):
    return [
        callbacks.Resume(directory / "resume"),
        callbacks.TopKCheckpoints(directory / "best", "loss", k=2),
        callbacks.NumericsGuard(directory / "guard"),
        callbacks.TimeLimit("99:00:00"),
        callbacks.ReduceOnPlateau("loss", patience=1, min_delta=10.0, factor=0.99999, verbose=1),
    ]


def fit(those=(), metrics=()):
    keras.utils.set_random_seed(4)
    dead = keras.layers.Dense(2, activation="relu", kernel_initializer="zeros", name="größe")
    model = keras.Sequential([keras.Input((3,)), dead, keras.layers.Dense(1, activation="sigmoid", name="Länge")])
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy", *metrics])
    history = model.fit(X, Y, epochs=EPOCHS, verbose=0, shuffle=False, callbacks=list(those)).history
    return history["loss"], [weights.tobytes() for weights in model.get_weights()]


class At(keras.callbacks.Callback):
    """Does something when an epoch begins, before the others hear of its end."""

    def __init__(self, actions):
        super().__init__()
        self.actions = actions

    def on_epoch_begin(self, epoch, logs=None):
        self.actions.get(epoch, lambda: None)()


class FullDisk:
    """Every file that is opened to be written, made or renamed fails while it is full."""

    def __init__(self, monkeypatch, directory):
        self.is_full, self.refused, self._directory = False, 0, str(directory)
        for module, name in ((io, "open"), (os, "open"), (os, "mkdir"), (os, "replace"), (os, "rename")):
            self._plant(monkeypatch, module, name)
        monkeypatch.setattr("builtins.open", io.open)

    def _plant(self, monkeypatch, module, name):
        real = getattr(module, name)

        def planted(path, *args, **kwargs):
            mode = str(args[0] if args else kwargs.get("mode", "r")) if name == "open" and module is io else "w"
            if self.is_full and mode[0] in "wax" and str(path).startswith(self._directory):
                self.refused += 1
                raise OSError(28, "No space left on device", str(path))
            return real(path, *args, **kwargs)

        monkeypatch.setattr(module, name, planted)

    def fill(self):
        self.is_full = True

    def clear(self):
        self.is_full = False


@pytest.fixture(scope="module")
def alone():
    return fit()


@pytest.fixture
def told():
    """The warnings of ours, as text."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield lambda: [text for one in found if any(word in (text := str(one.message)) for word in ("goes on", "cannot be"))]


def test_each_callback_says_whether_it_only_watches():
    exported = {n: value for n, value in vars(callbacks).items() if isinstance(value, type)}
    watching = {name for name, value in exported.items() if issubclass(value, Watcher)}
    assert {*exported} - watching == ACT | KEEP
    assert all(exported[name].only_watches for name in watching)
    # The rows of the battery are tested here too.
    assert {type(one).__name__ for one in watchers_of_the_battery()} == watching & {*ROWS}


def watchers_of_the_battery():
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        return watchers(pathlib.Path(scratch))


def test_a_full_disk(tmp_path, monkeypatch, alone, told):
    disk = FullDisk(monkeypatch, tmp_path)
    assert fit([At({1: disk.fill}), *watchers(tmp_path)]) == alone
    assert disk.refused > 20
    said = told()
    assert len(said) == len(set(said))
    for name in ("HistoryCSV", "TensorBoard", "GradientHealth", "PredictionSnapshots", "EvaluationPictures", "ReportPage"):
        assert any(text.startswith(f"{name}: ") and "No space left" in text for text in said), (name, said)
    disk.clear()
    rows = (tmp_path / "history.csv").read_text().splitlines()
    assert len(rows) == 2
    assert rows[1].startswith("1,")


def test_a_disk_that_has_space_again(tmp_path, monkeypatch, alone, told):
    """Everything that was not written is: rows of the history, scalars of TensorBoard, the page, the summary, the model."""
    from tests.callbacks.test_event_file import read

    disk = FullDisk(monkeypatch, tmp_path)
    assert fit([At({0: disk.fill, 3: disk.clear}), *watchers(tmp_path)]) == alone
    for file in (tmp_path / "history.csv", tmp_path / "run" / "history.csv"):
        assert [row.split(",")[0] for row in file.read_text().splitlines()] == ["epoch", "1", "2", "3", "4"]
    assert [step for step, _ in read(tmp_path / "events" / "train")["epoch_loss"]] == [0, 1, 2, 3]
    assert "Completed 4 epochs" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert {"model.keras", "summary.json", "report.html"} <= {path.name for path in (tmp_path / "run").iterdir()}


def test_a_row_that_was_cut_is_whole_later(tmp_path, monkeypatch):
    from kerasmith.files.history_file import HistoryFile

    table = HistoryFile(tmp_path / "history.csv")
    table.append({"epoch": 1, "loss": 0.5})
    real, before = io.open, table.path.read_text()

    class Cut(io.FileIO):
        def write(self, data):
            super().write(data[:4])
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("builtins.open", lambda path, mode="r", **k: Cut(path, "a") if mode == "ab" else real(path, mode, **k))
    with pytest.raises(OSError, match="No space"):
        table.append({"epoch": 2, "loss": 0.25})
    monkeypatch.undo()
    assert table.path.read_text() == before
    table.append({"epoch": 3, "loss": 0.125})
    assert table.path.read_text().splitlines()[1:] == ["1,0.5", "2,0.25", "3,0.125"]


def remove(directory):
    while directory.exists():  # a thread may be writing there
        shutil.rmtree(directory, ignore_errors=True)


@pytest.mark.parametrize("others", [watchers, keepers])
def test_a_directory_that_is_gone(tmp_path, alone, told, others):
    those = others(tmp_path / "there")
    loss, _ = fit([At({2: lambda: remove(tmp_path / "there")}), *those])
    np.testing.assert_allclose(loss, alone[0], rtol=1e-4)
    there = {path.name for path in (tmp_path / "there").iterdir()}
    assert there >= ({"history.csv", "report.html", "summary.json", "run"} if others is watchers else {"resume", "best"})


def test_a_full_disk_for_those_that_keep(tmp_path, monkeypatch, alone, told):
    disk = FullDisk(monkeypatch, tmp_path)
    loss, _ = fit([At({1: disk.fill}), *keepers(tmp_path)])
    np.testing.assert_allclose(loss, alone[0], rtol=1e-4)
    said = told()
    assert sum("Resume: a checkpoint could not be written" in text for text in said) >= 2, said
    assert sum("TopKCheckpoints could not write" in text and "keras" in text for text in said) >= 2, said


class Closed(io.StringIO):
    def __init__(self):
        super().__init__()
        self.close()


class BrokenPipe(io.StringIO):
    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")

    def fileno(self):
        raise OSError("no file")


@pytest.mark.parametrize("output", [Closed, BrokenPipe, lambda: io.TextIOWrapper(io.BytesIO(), encoding="ascii")])
def test_outputs(tmp_path, monkeypatch, alone, told, output):
    monkeypatch.setattr(sys, "stdout", output())
    if output in (Closed, BrokenPipe):
        monkeypatch.setattr(sys, "stderr", output())
    assert fit(watchers(tmp_path)) == alone
    if sys.stdout.encoding == "ascii":
        sys.stdout.flush()
        text = sys.stdout.buffer.getvalue().decode("ascii")
        assert "4 epochs in" in text
        assert "gr??e" in text
        assert not told()
    elif output is Closed:
        assert any("gets no gradient" in text for text in told())
    loss, _ = fit(keepers(tmp_path / "others"))
    np.testing.assert_allclose(loss, alone[0], rtol=1e-4)


def test_pictures_that_cannot_be_drawn(tmp_path, monkeypatch, alone, told):
    def broken(*_, **__):
        raise RuntimeError("no font")

    for place in (
        "callbacks.epoch_pictures.encode_png",
        "callbacks.prediction_snapshots.classified",
        "callbacks.evaluation_pictures.metric_html",
        "callbacks.gradient_health.gradient_page",
        "callbacks.run_report.report_page.run_page",
        "callbacks.event_file.encode_png",
    ):
        monkeypatch.setattr(f"kerasmith.{place}", broken)
    those = watchers(tmp_path)
    loss, weights = fit(those, [Rewritten()])
    assert (loss, weights) == alone
    assert sum("no font" in text for text in told()) >= 6
    assert len((tmp_path / "history.csv").read_text().splitlines()) == EPOCHS + 1
    assert (tmp_path / "run" / "summary.json").exists()


def test_predictions_that_fail(tmp_path, monkeypatch, alone, told):
    def broken(*_, **__):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(keras.Model, "predict_on_batch", broken)
    monkeypatch.setattr("kerasmith.callbacks.gradient_health.MeasuredStep", broken)
    assert fit(watchers(tmp_path)) == alone
    said = told()
    assert [sum(text.startswith(name) for text in said) for name in ("PredictionSnap", "EvaluationP", "GradientH")] == [
        1,
        1,
        1,
    ]


def test_wrong_arguments_end_the_training_before_it_begins(tmp_path):
    class Clash(keras.metrics.Metric):
        pass

    with pytest.raises(ValueError, match="Expected the path of a file"):
        callbacks.HistoryCSV(tmp_path / "missing" / "history.csv")
    with pytest.raises(ValueError, match="nowhere to put its pictures"):
        callbacks.PredictionSnapshots(X[:2], Y[:2], images=IMAGES)


def test_a_subclass_of_a_user_may_end_the_training(tmp_path):
    class Own(callbacks.HistoryCSV):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        fit([Own(tmp_path / "history.csv")])


def test_no_message_can_fail():
    """While a model trains, lines and warnings go through `files.messages`, for outputs that are closed or narrow."""
    root, found = pathlib.Path(kerasmith.__file__).parent, []
    for path in root.rglob("*.py"):
        part = path.relative_to(root).as_posix()
        if part.startswith(("cli/", "testing/", "checks/", "_moved", "__main__", "files/messages")):
            continue
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        found += [f"{part}:{call.lineno}" for call in calls if ast.unparse(call.func) in ("print", "warnings.warn")]
    assert not found, f"Write `say` or `warn` of kerasmith.files.messages in {found}"


def test_warnings_where_standard_error_is_closed(monkeypatch):
    def show(*arguments, **keywords):
        raise ValueError("I/O operation on closed file")  # as Python's own does there

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", show)
        warn("ours")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="ours"):
            warn("ours")
