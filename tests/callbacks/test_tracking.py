"""What a training sends to the tools that track experiments, read back from their own local stores."""

import importlib.util
import os
import sys

import keras
import numpy as np
import pytest
from PIL import Image

from kerasmith.callbacks import LossTerms, PredictionSnapshots, Tracking
from kerasmith.files import run_events
from kerasmith.losses import Dice
from tests.callbacks.battery import Tracked
from tests.support import fresh_process

pytestmark = pytest.mark.host("columns, pictures and texts are sent: the backend computes the same")

EPOCHS, EVENT = 3, "epoch 2, rollback, Guard: went back"
IMAGES = np.random.default_rng(0).random((4, 8, 8, 1)).astype("float32")
MASKS = (IMAGES > 0.5).astype("float32")


def train(tracking):
    """Columns of terms and of the learning rate, a picture in each epoch, an event in the second."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")])
    model.compile(keras.optimizers.SGD(0.25), 0.5 * Dice() + keras.losses.BinaryCrossentropy(name="bce"))
    snapshots = PredictionSnapshots(IMAGES, MASKS, tensorboard=tracking, max_images=2)
    guard = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: epoch == 1 and run_events.tell("rollback", "went back", by="Guard")
    )
    callbacks = [LossTerms(), tracking, snapshots, guard]
    return model.fit(IMAGES, MASKS, epochs=EPOCHS, verbose=0, callbacks=callbacks).history


def test_a_tool_of_ones_own_and_one_that_fails():
    tool = Tracked()
    history = train(Tracking(tool))
    assert list(tool.steps) == [0, 1, 2]
    assert tool.steps[2] == {**{name: values[2] for name, values in history.items()}, "learning_rate": 0.25}
    assert list(tool.pictures) == [("snapshots", 0), ("snapshots", 1), ("snapshots", 2)]
    assert tool.pictures["snapshots", 0].shape == (256, 256 * 2 + 8, 3)
    assert tool.texts == [EVENT]


@pytest.mark.filterwarnings("ignore")
def test_what_fails_once_is_sent_later():
    tool = Tracked()
    failing, numbers = [OSError("no network")], tool.numbers

    def once(values, step):
        if failing:
            raise failing.pop()
        numbers(values, step)

    tool.numbers = once
    train(Tracking(tool))
    assert list(tool.steps) == [0, 1, 2]


def test_what_cannot_be_meant_is_refused(monkeypatch):
    with pytest.raises(ValueError, match=r"one of 'mlflow', 'trackio', 'wandb'.*callbacks.TensorBoard"):
        Tracking("tensorboard")
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ImportError, match="pip install wandb"):
        Tracking("wandb")


def in_mlflow(directory):
    os.environ.update(MLFLOW_ALLOW_FILE_STORE="true", MLFLOW_DISABLE_TELEMETRY="true")
    import mlflow

    mlflow.set_tracking_uri((directory / "mlruns").as_uri())
    with pytest.raises(ValueError, match=r"with mlflow\.start_run\(\)"):
        train(Tracking("mlflow"))
    with mlflow.start_run() as run:
        history = train(Tracking(mlflow, config={"seed": 7}))
    client = mlflow.MlflowClient()
    for name, values in history.items():
        points = client.get_metric_history(run.info.run_id, name)
        assert [point.step for point in points] == [0, 1, 2]
        np.testing.assert_array_equal([point.value for point in points], values)
    stored = client.get_run(run.info.run_id).data
    assert stored.metrics["learning_rate"] == 0.25
    assert stored.params == {"seed": "7"}
    found = list(directory.rglob("*.png"))
    assert len(found) == EPOCHS
    assert Image.open(found[0]).size == (520, 256)
    (events,) = directory.rglob("events.txt")
    assert events.read_text().splitlines() == [EVENT]
    assert stored.metrics["events"] == 1


def in_trackio(directory):
    os.environ.update(TRACKIO_DIR=str(directory), HF_HUB_OFFLINE="1")
    import trackio
    from trackio.sqlite_storage import SQLiteStorage

    with pytest.raises(ValueError, match=r"trackio\.init"):
        train(Tracking("trackio"))
    trackio.init(project="try", name="first", embed=False, auto_log_gpu=False, auto_log_cpu=False)
    history = train(Tracking("trackio", config={"seed": 7}))
    trackio.finish()
    logs = SQLiteStorage.get_logs("try", "first")
    for name, values in history.items():
        assert [(log["step"], log[name]) for log in logs if name in log] == list(enumerate(values))
    assert {log["learning_rate"] for log in logs if "learning_rate" in log} == {0.25}
    pictures = [log["snapshots"] for log in logs if "snapshots" in log]
    assert len(pictures) == EPOCHS
    assert len(list(directory.rglob("*.png"))) == EPOCHS
    assert [log["event"] for log in logs if "event" in log] == [EVENT]
    assert SQLiteStorage.get_run_config("try", "first")["seed"] == 7


@pytest.mark.parametrize("name", ["mlflow", "trackio"])
def test_local_stores_have_everything(name, tmp_path):
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} and what it needs are not installed here")
    code = f"import pathlib, sys; from tests.callbacks.test_tracking import in_{name} as ask; ask(pathlib.Path(sys.argv[1]))"
    fresh_process.run(code, tmp_path)
