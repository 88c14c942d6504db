"""Writes what a released version leaves with its users: `KERAS_BACKEND=torch python -m tests.released.write 0.1.0`.

One model with losses, metrics and a schedule, one with an `Objective` (the same files for every backend), and a checkpoint
of a training that was cut off (one for each backend), beside the numbers that they gave then, and the list of public names.
"""

import contextlib
import json
import pathlib
import shutil
import sys
import time

import keras
import numpy as np

import kerasmith
from kerasmith import losses, metrics, schedules
from kerasmith.callbacks import HardExampleMining, ReduceOnPlateau, Resume, WeightAveraging
from kerasmith.data import WeightedBatches
from tests.released.api import public_api

ROOT = pathlib.Path(__file__).parent


def images():
    """(x, y): 12 images of 8 x 8 with a bright square that is to be found."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(0, 0.1, (12, 8, 8, 1)).astype("float32"), np.zeros((12, 8, 8, 1), "uint8")
    for i, (row, column) in enumerate(rng.integers(0, 5, (12, 2))):
        y[i, row : row + 3, column : column + 3] = 1
    return x + y, y


def _net(cls=keras.Model):
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")(inputs)
    return cls(inputs, keras.layers.Conv2D(1, 1, activation="sigmoid", name="mask")(x))


def plain_model():
    """A model of Keras with our losses, metrics and schedule."""
    model = _net()
    model.compile(
        keras.optimizers.Adam(schedules.CosineRestarts(T_0=4, eta_max=1e-2, steps_per_epoch=3)),
        loss=0.3 * losses.FocalTversky(alpha=0.6, beta=0.4) + losses.CrossEntropy(name="ce", label_smoothing=0.1),
        metrics=[
            metrics.ConfusionMatrix(2, class_names=["ground", "square"]),
            metrics.DiceScore(threshold=0.4),
            metrics.LesionDetection(iou_threshold=0.6),
            metrics.AUC(),
        ],
    )
    return model


def objective_model():
    """A model of ours with two terms, one of them with a learned weight."""
    model = _net(kerasmith.Model)
    terms = {
        "dice": losses.Dice(),
        "size": kerasmith.Term(losses.MinimumArea(4), weight=0.1, name="size"),
        "focal": kerasmith.Term(losses.Focal(gamma=1.5), weight="learned", name="focal"),
    }
    model.compile(keras.optimizers.SGD(0.05), loss=kerasmith.Objective(terms))
    return model


class CutOff(Exception):
    """Stands for the kill of a process."""


class _CutOffAt(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise CutOff


def train(directory, cut_off_at=None, report_epoch=None):
    """The history of four epochs, unless they are cut off; `report_epoch` gets the number of each that is trained."""
    keras.utils.set_random_seed(5)
    x, y = images()
    data = WeightedBatches(x, y, batch_size=4, seed=2)
    model = _net()
    model.compile(keras.optimizers.Adam(1e-2), loss=losses.DiceCE())
    callbacks = [
        Resume(directory),
        HardExampleMining(data, every=2),
        WeightAveraging("ema", decay=0.9),
        ReduceOnPlateau(monitor="loss", patience=1),
        *([_CutOffAt(cut_off_at)] if cut_off_at is not None else []),
        *([keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: report_epoch(epoch))] if report_epoch else []),
    ]
    return model.fit(data, epochs=4, callbacks=callbacks, verbose=0).history


def evaluated(model):
    """What `evaluate` and `predict` of a model say, as plain data."""
    x, y = images()
    scores = model.evaluate(x, y, batch_size=5, return_dict=True, verbose=0)
    return {
        "scores": {key: float(value) for key, value in scores.items()},
        "mean": float(np.mean(model.predict(x, verbose=0))),
    }


def _write_models(directory):
    expected = {}
    for name, make in (("plain", plain_model), ("objective", objective_model)):
        keras.utils.set_random_seed(1)
        model = make()
        model.fit(*images(), batch_size=4, epochs=2, verbose=0)
        model.save(directory / f"{name}.keras")
        expected[name] = evaluated(model)
    (directory / "models.json").write_text(json.dumps(expected, indent=1) + "\n")


def _keep_last(directory, name, seconds=60):
    """Waits for the last checkpoint, which a thread writes beside the training, and removes the older ones."""
    end = time.monotonic() + seconds
    while not (directory / name).exists():
        if time.monotonic() > end:
            raise TimeoutError(f"no {name} in {directory}")
        time.sleep(0.1)
    for path in directory.iterdir():
        if path.name != name:
            path.unlink()


def _write_checkpoint(directory):
    shutil.rmtree(directory, ignore_errors=True)
    whole = train(directory / "whole")
    shutil.rmtree(directory / "whole")
    with contextlib.suppress(CutOff):
        train(directory / "checkpoints", cut_off_at=3)
    _keep_last(directory / "checkpoints", "step-000000009.state")
    history = {key: [float(v) for v in values] for key, values in whole.items()}
    (directory / "history.json").write_text(json.dumps(history, indent=1) + "\n")


if __name__ == "__main__":
    version, backend = sys.argv[1], keras.config.backend()
    (ROOT / version).mkdir(exist_ok=True)
    if backend == "torch":
        _write_models(ROOT / version)
        (ROOT / version / "api.json").write_text(json.dumps(public_api(), indent=1) + "\n")
    _write_checkpoint(ROOT / version / backend)
