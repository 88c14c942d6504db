"""RunReport in real fits: its files hold what `fit` returned, whatever happens on the way."""

import csv
import json
import math

import keras
import numpy as np
import pytest
from keras import ops
from sklearn.metrics import confusion_matrix

from kerasmith.callbacks.run_report.run_report import RunReport
from kerasmith.metrics import ConfusionMatrix
from tests.callbacks.runs import X, Y, fit, model
from tests.report.html_checks import assert_loads_nothing, plot_named, plots, values_of

pytestmark = pytest.mark.heavy("compiles a fit to look at what the host writes", on=("jax", "tensorflow"), seconds=2)


def history(directory):
    with open(directory / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


def summary(directory):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    return json.loads((directory / "summary.json").read_text(), parse_constant=refuse)


def page(directory):
    return assert_loads_nothing((directory / "report.html").read_text())


def test_the_files_hold_what_fit_returned(tmp_path):
    net = model()
    report = RunReport(tmp_path, title="A <run>", config={"seed": 7, "tiles": {"size": 128}})
    logged = fit(net, [report])
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "history.csv",
        "model.keras",
        "report.html",
        "report.json",
        "summary.json",
    ]
    rows = history(tmp_path)
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    for name, values in logged.items():
        assert [float(row[name]) for row in rows] == values
    assert [float(row["learning_rate"]) for row in rows] == pytest.approx([0.05] * 3)
    found = summary(tmp_path)
    assert found["status"] == "completed"
    assert found["epochs"] == 3
    assert found["parameters"] == net.count_params()
    assert found["seconds"] > 0
    assert {k: found["final"][k] for k in logged} == {k: v[-1] for k, v in logged.items()}
    assert found["best"]["val_loss"] == {"value": min(logged["val_loss"]), "epoch": 1 + int(np.argmin(logged["val_loss"]))}
    assert found["config"] == {"seed": 7, "tiles": {"size": 128}}
    assert found["environment"]["seed"] == 7
    assert found["environment"]["backend"].startswith(keras.backend.backend())
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), net.predict(X, verbose=0))


def test_the_page_shows_curves_values_and_setup(tmp_path):
    report = RunReport(tmp_path, title="A <run>", config={"tiles": {"size": 128}})
    fit(model(), [report])
    shown = page(tmp_path)
    assert "A <run>" in shown.text("h1")
    assert "Completed 3 epochs" in shown.text("p")
    drawn = plots((tmp_path / "report.html").read_text())
    assert [plot["title"] for plot in drawn] == ["loss", "accuracy", "learning rate"]
    assert [one["name"] for one in drawn[0]["series"]] == ["loss", "val_loss"]
    assert "size: 128" in shown.text("td")
    assert "Adam(learning_rate=0.05" in shown.text("td")
    assert "binary_crossentropy" in shown.text("td")
    assert str(tmp_path) not in (tmp_path / "report.html").read_text() + (tmp_path / "summary.json").read_text()
    assert {a["href"] for a in shown.all("a")} == {"history.csv", "summary.json", "report.json", "model.keras"}


def test_sections_and_numbers_before_and_after_training(tmp_path):
    report = RunReport(tmp_path)
    report.add_section("Pictures & more", "<p>old</p>")
    fit(model(), [report], epochs=1)
    report.add_section("Pictures & more", "<p>new</p>")
    report.add_summary(object_f1=np.float32(0.5), seconds=12.5, objects={"found": 3}, missing=math.nan)
    report.write()
    found = summary(tmp_path)
    assert found["object_f1"] == 0.5
    assert found["seconds"] == 12.5
    assert found["objects"] == {"found": 3}
    assert found["missing"] is None
    shown = page(tmp_path)
    assert "Pictures & more" in shown.text("h2")
    assert "new" in shown.text("p")
    assert "old" not in shown.text("p")
    assert "object f1" in shown.text("dt")
    assert "0.5000" in shown.text("dd")


def test_the_history_is_readable_while_the_run_goes_on_and_after_an_interrupt(tmp_path):
    seen = []

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append([float(row["loss"]) for row in history(tmp_path)])
            assert "Not finished" in page(tmp_path).text("p")
            if epoch == 1:
                raise KeyboardInterrupt

    report = RunReport(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        fit(model(), [report, Interrupt()])
    assert [len(losses) for losses in seen] == [1, 2]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["history.csv", "report.html", "report.json"]
    report.write()
    assert summary(tmp_path)["status"] == "running"
    assert summary(tmp_path)["epochs"] == 2


def test_columns_that_appear_later(tmp_path):
    logged = fit(model(), [RunReport(tmp_path)], epochs=4, validation_freq=2)
    rows = history(tmp_path)
    assert [row["val_loss"] == "" for row in rows] == [True, False, True, False]
    assert [float(row["val_loss"]) for row in rows[1::2]] == logged["val_loss"]
    assert [float(row["loss"]) for row in rows] == logged["loss"]


def test_a_second_fit_continues(tmp_path):
    net, report = model(), RunReport(tmp_path)
    first, second = fit(net, [report], epochs=2), fit(net, [report], epochs=2)
    rows = history(tmp_path)
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert [float(row["loss"]) for row in rows] == first["loss"] + second["loss"]
    third = fit(net, [report], epochs=6, initial_epoch=4)
    assert [row["epoch"] for row in history(tmp_path)] == ["1", "2", "3", "4", "5", "6"]
    assert float(history(tmp_path)[-1]["loss"]) == third["loss"][-1]
    assert summary(tmp_path)["status"] == "completed"


def test_initial_epoch_counts_from_there(tmp_path):
    fit(model(), [RunReport(tmp_path)], epochs=5, initial_epoch=3)
    assert [row["epoch"] for row in history(tmp_path)] == ["4", "5"]


def test_early_stopping_is_told(tmp_path):
    stop = keras.callbacks.EarlyStopping("loss", patience=0, mode="max")
    fit(model(), [stop, RunReport(tmp_path)], epochs=9)
    assert summary(tmp_path)["status"] == "stopped early"
    assert "Stopped early after 2 of 9 epochs" in page(tmp_path).text("p")


def test_not_a_number_is_null_and_shown(tmp_path):
    net = model(metrics=[])
    net.compile("sgd", lambda y, p: ops.sum(p, axis=-1) * float("nan"))
    fit(net, [RunReport(tmp_path)], epochs=2)
    assert summary(tmp_path)["final"]["loss"] is None
    assert "loss is not finite from epoch 1 to 2" in page(tmp_path).text("li")
    assert math.isnan(float(history(tmp_path)[0]["loss"]))


@pytest.mark.parametrize("scaled", [False, True])
def test_the_rate_of_a_schedule_is_that_of_the_last_step(tmp_path, scaled):
    schedule = keras.optimizers.schedules.PolynomialDecay(1.0, 12, 0.0)
    optimizer = keras.optimizers.SGD(schedule)
    net = model(keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=1.0) if scaled else optimizer)
    logged = fit(net, [RunReport(tmp_path)])
    assert "learning_rate" not in logged
    assert [float(row["learning_rate"]) for row in history(tmp_path)] == pytest.approx([1 - 3 / 12, 1 - 7 / 12, 1 - 11 / 12])
    drawn = plot_named((tmp_path / "report.html").read_text(), "learning rate")
    assert min(abs(rate - 11 / 12) for rate in values_of(drawn, "learning_rate")) < 1e-6  # a step inside the first epoch


def test_a_logged_rate_is_kept_and_the_logs_are_not_touched(tmp_path):
    class Plateau(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["learning_rate"] = 0.25

    logged = fit(model(), [Plateau(), RunReport(tmp_path)], epochs=1)
    assert history(tmp_path)[0]["learning_rate"] == "0.25"
    assert logged["learning_rate"] == [0.25]
    assert "learning_rate" not in fit(model(), [RunReport(tmp_path, overwrite=True)], epochs=1)


def test_vectors_in_the_logs_become_columns(tmp_path):
    class Vector(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["iou"] = np.array([0.25, 0.5])

    fit(model(), [Vector(), RunReport(tmp_path)], epochs=1)
    assert (history(tmp_path)[0]["iou_0"], history(tmp_path)[0]["iou_1"]) == ("0.25", "0.5")


def test_a_subclassed_model_is_reported(tmp_path):
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

    net = Net()
    net.compile("sgd", "mse")
    fit(net, [RunReport(tmp_path)], epochs=1)
    assert summary(tmp_path)["parameters"] == 4
    assert "Dense" in page(tmp_path).text("td")


def test_a_model_that_cannot_be_saved_leaves_a_message(tmp_path):
    net = model()

    def refuse(*_, **__):
        raise NotImplementedError("this <model> cannot be saved")

    net.save = refuse
    with pytest.warns(UserWarning, match="could not save the model"):
        fit(net, [RunReport(tmp_path)], epochs=1)
    assert "not saved. NotImplementedError: this <model> cannot be saved" in page(tmp_path).text("td")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["history.csv", "report.html", "report.json", "summary.json"]


def test_state_survives_in_another_object(tmp_path):
    first = RunReport(tmp_path / "a")
    fit(model(), [first], epochs=2)
    state = json.loads(json.dumps(first.state_dict()))
    second = RunReport(tmp_path / "b")
    second.load_state_dict(state)
    assert (tmp_path / "b" / "history.csv").read_text() == (tmp_path / "a" / "history.csv").read_text()
    fit(model(), [second], epochs=3, initial_epoch=2)
    assert [row["epoch"] for row in history(tmp_path / "b")] == ["1", "2", "3"]


def test_the_directory_is_checked_before_training(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="pass overwrite=True"):
        RunReport(tmp_path)
    RunReport(tmp_path, overwrite=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with pytest.raises(ValueError, match="`config` must be a dict"):
        RunReport(tmp_path / "new", config=[1])
    assert not (tmp_path / "new").exists()


def test_nothing_is_done_in_a_step():
    stepwise = [n for n in vars(RunReport) if "batch" in n]
    assert stepwise == []


def test_directions_come_from_the_metrics(tmp_path):
    class Score(keras.metrics.Mean):
        direction = "max"

        def update_state(self, y_true, y_pred, sample_weight=None):
            return super().update_state(ops.mean(y_pred))

    fit(model(metrics=[Score(name="dice")]), [RunReport(tmp_path)])
    assert "dice" in summary(tmp_path)["best"]


def test_metrics_draw_their_counts_of_the_last_validation(tmp_path):
    metric = ConfusionMatrix(2, class_names=["calm", "storm"])
    net = model(metrics=[metric])
    fit(net, [RunReport(tmp_path)])
    predicted = net.predict(X[:8], verbose=0) > 0.5
    expected = confusion_matrix(Y[:8], predicted, labels=[0, 1])
    np.testing.assert_array_equal(metric.matrix(), expected)
    shown = (tmp_path / "report.html").read_text()
    assert "confusion matrix, last epoch, validation data" in shown
    assert f"storm predicted as storm: {expected[1, 1] / max(expected[1].sum(), 1):.1%} of storm" in shown
