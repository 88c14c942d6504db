"""One row for each callback that can stand in the list of any `fit`; `test_every_callback` asks the same of all of them."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console

from kerasmith import callbacks
from kerasmith.data import WeightedBatches
from kerasmith.metrics import ConfusionMatrix
from kerasmith.schedules import CosineRestarts

SAMPLES, BATCH, EPOCHS, STEPS = 32, 8, 3, 4
_RNG = np.random.default_rng(11)
X = _RNG.random((SAMPLES, 3)).astype("float32")
Y = (X.sum(1, keepdims=True) > 1.5).astype("float32")
IMAGES = _RNG.random((2, 8, 8)).astype("float32")


class Row(NamedTuple):
    """A callback of the battery.

    Attributes:
        make: from a directory of its own and the data of `fit` to the callback.
        only_watches: whether training with it is training without it, bit for bit.
        result: what it has found, as something that `==` compares, from the callback and its directory.
    """

    make: Callable
    only_watches: bool = True
    result: Callable = lambda callback, directory: None


def _silent(directory, data):
    return callbacks.LiveProgress(Console(file=(directory / "progress.txt").open("a", encoding="utf-8")))


class Tracked:
    """A tool that keeps what it is sent."""

    def __init__(self):
        self.steps, self.pictures, self.texts = {}, {}, []

    def begin(self, config):
        pass

    def numbers(self, values, step):
        self.steps[step] = values

    def picture(self, name, picture, step):
        self.pictures[name, step] = picture

    def events(self, new, every, step):
        self.texts += new
        assert every[-len(new) :] == list(new)


def _rows(callback, directory):
    return callback.rows


def _files(callback, directory):
    return sorted(str(path.relative_to(directory)) for path in Path(directory).rglob("*") if path.is_file())


ROWS = {
    "CheckSetup": Row(lambda d, data: callbacks.CheckSetup(), result=lambda callback, directory: callback.findings),
    "EvaluationPictures": Row(
        lambda d, data: callbacks.EvaluationPictures(X, Y, ConfusionMatrix(2, from_logits=False), directory=d), result=_files
    ),
    "FieldPictures": Row(lambda d, data: callbacks.FieldPictures(X, Y, directory=d), result=_files),
    "GradientHealth": Row(lambda d, data: callbacks.GradientHealth(every=3, verbose=0), result=_rows),
    "HardExampleMining": Row(
        lambda d, data: callbacks.HardExampleMining(data, every=1),
        only_watches=False,
        result=lambda callback, directory: callback.data.weights.tolist(),
    ),
    "HistoryCSV": Row(
        lambda d, data: callbacks.HistoryCSV(d / "history.csv"), result=lambda c, d: (d / "history.csv").read_text()
    ),
    "LiveProgress": Row(_silent),
    "LossTerms": Row(lambda d, data: callbacks.LossTerms()),
    "NumericsGuard": Row(lambda d, data: callbacks.NumericsGuard(d, every=3)),
    "PredictionSnapshots": Row(
        lambda d, data: callbacks.PredictionSnapshots(X[:2], Y[:2], images=IMAGES, directory=d), result=_files
    ),
    "ReduceOnPlateau": Row(
        lambda d, data: callbacks.ReduceOnPlateau("val_loss", factor=0.5, patience=1, min_delta=1.0), only_watches=False
    ),
    "ReportPage": Row(lambda d, data: callbacks.ReportPage(d / "report.html"), result=_files),
    "Resume": Row(lambda d, data: callbacks.Resume(d, every=3, verbose=0)),
    "RunReport": Row(lambda d, data: callbacks.RunReport(d, keep=True), result=lambda c, d: (d / "history.csv").read_text()),
    "ScheduleLR": Row(
        lambda d, data: callbacks.ScheduleLR(CosineRestarts(T_0=2, eta_max=0.1, steps_per_epoch=STEPS)), only_watches=False
    ),
    "SummaryFile": Row(lambda d, data: callbacks.SummaryFile(d / "summary.json"), result=_files),
    "TensorBoard": Row(lambda d, data: callbacks.TensorBoard(d, flat=True, histograms=1)),
    "TimeLimit": Row(lambda d, data: callbacks.TimeLimit("99:00:00")),
    "TopKCheckpoints": Row(lambda d, data: callbacks.TopKCheckpoints(d, "val_loss", k=2), result=_files),
    "Tracking": Row(lambda d, data: callbacks.Tracking(Tracked()), result=lambda c, d: c.record.rows),
    "WeightAveraging": Row(lambda d, data: callbacks.WeightAveraging(decay=0.8), only_watches=False),
}


def data():
    """The samples as `fit` reads them."""
    return WeightedBatches(X, Y, BATCH, seed=2)
