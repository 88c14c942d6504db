"""Terms and weights of an objective in everything that shows a training run."""

import csv
import io
import json
import re

import keras
import numpy as np
import pytest
from keras import layers, ops
from rich.console import Console

from kerasmith import Model, Objective, Tap, Term
from kerasmith.base.direction import direction_of, directions_of
from kerasmith.callbacks import LiveProgress, RunReport, TensorBoard
from kerasmith.losses import DiceCE
from tests.callbacks.runs import X, Y
from tests.callbacks.test_tensorboard import as_written, read
from tests.report.html_checks import plots

TERMS = {"fit", "activity", "size"}
WEIGHTS = {"activity_weight", "size_weight"}
COLUMNS = {"loss", *TERMS, *WEIGHTS}


@keras.saving.register_keras_serializable("tests.callbacks")
def activity(features):
    return ops.mean(ops.abs(features["hidden"]), axis=-1)


def model(terms=None):
    inputs = keras.Input((3,))
    hidden = Tap("hidden")(layers.Dense(4, activation="relu")(inputs))
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(hidden))
    rising = keras.optimizers.schedules.PolynomialDecay(0.0, 12, 0.3)
    usual = {
        "fit": "binary_crossentropy",
        "activity": Term(activity, weight=rising),
        "size": Term("mse", weight="learned"),
    }
    net.compile(keras.optimizers.Adam(0.02), Objective(terms or usual), metrics=["accuracy"])
    return net


def fit(net, callbacks=(), **keywords):
    keywords = {"validation_data": (X[:8], Y[:8]), "batch_size": 8, "verbose": 0, "epochs": 3, **keywords}
    return net.fit(X, Y, callbacks=list(callbacks), **keywords).history


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One run that every callback watches: (model, history, directory, what LiveProgress printed)."""
    keras.utils.set_random_seed(4)
    directory = tmp_path_factory.mktemp("run")
    net, page = model(), io.StringIO()
    watchers = [
        RunReport(directory / "report"),
        TensorBoard(directory / "events"),
        keras.callbacks.CSVLogger(directory / "log.csv"),
        LiveProgress(Console(file=page, width=300)),
    ]
    return net, fit(net, watchers), directory, page.getvalue()


def test_the_history_has_every_column(run):
    _, history, _, _ = run
    names = COLUMNS | {"accuracy"}
    assert set(history) == names | {f"val_{name}" for name in names}
    assert all(len(values) == 3 for values in history.values())
    # The schedule sees steps 0 to 11; validation stands after 4, 8 and 12.
    np.testing.assert_allclose(history["activity_weight"], 0.3 * np.arange(12).reshape(3, 4).mean(1) / 12, rtol=1e-5)
    np.testing.assert_allclose(history["val_activity_weight"], 0.3 * np.array([4, 8, 12]) / 12, rtol=1e-5)


def test_tensorboard(run):
    _, history, directory, _ = run
    for part, prefix in (("train", ""), ("validation", "val_")):
        found = read(directory / "events" / part)
        for name in COLUMNS:
            assert found[f"epoch_{name}"] == as_written(history[prefix + name])


def test_csv_logger(run):
    _, history, directory, _ = run
    with open(directory / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for name, values in history.items():
        np.testing.assert_allclose([float(row[name]) for row in rows], values, rtol=1e-6)


def test_live_progress(run):
    _, history, _, page = run
    (last,) = [line for line in page.splitlines() if re.match(r"\s*(epoch )?3/3", line)]
    for name in ("loss", "val_loss", "val_accuracy", "val_activity"):
        assert f"{name} {history[name][-1]:.4f}" in last
    assert "_weight" not in page


def test_run_report(run):
    net, history, directory, _ = run
    folder = directory / "report"
    with open(folder / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_size_weight"]) for row in rows] == history["val_size_weight"]
    summary = json.loads((folder / "summary.json").read_text())
    # A term is better when it is lower; a weight is neither good nor bad.
    assert summary["best"]["val_fit"]["value"] == min(history["val_fit"])
    assert {"loss", "val_loss", *TERMS} <= set(summary["best"])
    assert not [name for name in summary["best"] if name.endswith("_weight")]
    html = (folder / "report.html").read_text()
    titles = {plot["title"] for plot in plots(html)}
    assert {"loss", "accuracy", "weights of the terms", *TERMS} <= titles
    assert not titles & WEIGHTS
    assert "fit: binary_crossentropy" in html
    loaded = keras.saving.load_model(folder / "model.keras")
    assert loaded.evaluate(X, Y, verbose=0) == pytest.approx(net.evaluate(X, Y, verbose=0), rel=1e-5)


def test_what_is_better(run):
    known = directions_of(run[0].metrics)
    assert {direction_of(name, known) for name in TERMS} == {"min"}
    assert {direction_of(prefix + name, known) for prefix in ("", "val_") for name in WEIGHTS} == {None}


@pytest.mark.parametrize("verbose", [1, 2])
def test_the_progress_bar_of_keras(verbose, capsys):
    fit(model(), epochs=1, verbose=verbose)
    shown = capsys.readouterr().out.replace("\b", "")
    for name in COLUMNS:
        assert f" {name}: " in shown
        assert f" val_{name}: " in shown


def test_parts_of_a_composite_loss_are_columns_too():
    net = model({"overlap": DiceCE(0.25, 2.0), "activity": activity})
    history = fit(net, epochs=1)
    assert {"overlap", "overlap_dice", "overlap_ce", "activity", "val_overlap_dice", "val_overlap_ce"} <= set(history)
    for prefix in ("", "val_"):
        parts = 0.25 * history[f"{prefix}overlap_dice"][0] + 2.0 * history[f"{prefix}overlap_ce"][0]
        np.testing.assert_allclose(history[f"{prefix}overlap"], parts, rtol=1e-5)
        np.testing.assert_allclose(history[f"{prefix}loss"], parts + history[f"{prefix}activity"][0], rtol=1e-5)
