"""Trains a model, kills it at random points and runs it again until it ends; prints how that differs from an undisturbed run.

    KERAS_BACKEND=torch python tests/callbacks/killed_runs.py arrays --kills 12 --seed 0

Every run is a child of its own, forked before the backend has started, so that only this process pays for the imports.
"""

import argparse
import itertools
import json
import os
import pickle
import random
import signal
import sys
import tempfile
import warnings
from pathlib import Path

import keras
import numpy as np
import own_step
import tensorflow  # noqa: F401  Keras' `set_random_seed` imports it on every backend; here once instead of in each child

from kerasmith import Model, Objective, Tap
from kerasmith import callbacks as ours
from kerasmith.callbacks import Resume
from kerasmith.checkpoints import state_file
from kerasmith.data import WeightedBatches
from kerasmith.multitask import GradNorm
from kerasmith.schedules import CosineRestarts

SAMPLES, BATCH, EPOCHS = 44, 8, 6
STEPS = -(-SAMPLES // BATCH)
TIME_LIMIT = 120


def killer(hook, count):
    """A callback that kills the process at the n-th call of a hook."""
    calls = itertools.count(1)
    callback = keras.callbacks.Callback()
    setattr(callback, hook, lambda *args, **kwargs: die() if next(calls) == count else None)
    return callback


class Recorder(keras.callbacks.Callback):
    """The loss of each step and the samples' order, as a user would keep them."""

    def __init__(self):
        super().__init__()
        self.losses = []

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append([self._epoch, batch, float(logs["loss"])])

    def state_dict(self):
        return {"losses": self.losses}

    def load_state_dict(self, state):
        self.losses = [list(row) for row in state["losses"]]


class OwnDataset(keras.utils.PyDataset):
    """Batches that depend on the epoch, read by several workers."""

    def __init__(self, x, y, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y = x, y

    def __len__(self):
        return STEPS

    def __getitem__(self, index):
        rows = np.random.default_rng([11, index]).permutation(SAMPLES)[:BATCH]
        return self.x[rows], self.y[rows]


def arrays(x, y):
    return {"x": x, "y": y, "batch_size": BATCH}


def weighted(x, y):
    return {"x": WeightedBatches(x, y, BATCH, weights=np.linspace(0.5, 2, SAMPLES), seed=4)}


def weighted_workers(x, y):
    return {"x": WeightedBatches(x, y, BATCH, seed=4, workers=3)}


def own_dataset(x, y):
    return {"x": OwnDataset(x, y, workers=3)}


def endless(x, y):
    """One source for the whole run, whose batch is a function of the step."""

    def batch(step):
        rows = np.random.default_rng([12, step]).integers(0, SAMPLES, BATCH)
        return x[rows], y[rows]

    if keras.backend.backend() != "tensorflow":
        return {"x": (batch(step) for step in range(10**9)), "steps_per_epoch": STEPS, "shuffle": False}
    import tensorflow as tf

    def read(step):
        rows, labels = tf.numpy_function(lambda step: batch(int(step)), [step], [tf.float32, tf.float32])
        return tf.ensure_shape(rows, (BATCH, 6)), tf.ensure_shape(labels, (BATCH, 1))

    return {"x": tf.data.Dataset.range(10**9).map(read), "steps_per_epoch": STEPS, "shuffle": False}


DATA = {
    "arrays": arrays,
    "weighted": weighted,
    "weighted_workers": weighted_workers,
    "own_dataset": own_dataset,
    "endless": endless,
    "half_precision": arrays,
    "objective": weighted,
    "callback_list": weighted,
    "own_step": weighted,
}
EVERY = {"weighted": 3, "own_dataset": "epoch", "endless": 5}


def make_model(kind):
    """The compiled model of a script."""
    keras.config.set_dtype_policy("mixed_float16" if kind == "half_precision" else "float32")
    inputs = keras.Input((6,))
    x = keras.layers.Dense(8, activation="relu")(inputs)
    x = keras.layers.Dropout(0.3)(keras.layers.BatchNormalization()(x))
    x = Tap("shared")(x) if kind == "objective" else x
    outputs = keras.layers.Dense(1, activation="sigmoid", dtype="float32")(x)
    if kind == "objective":
        model = Model(inputs, outputs)
        terms = {"squared": keras.losses.MeanSquaredError(), "absolute": keras.losses.MeanAbsoluteError()}
        model.compile("adam", Objective(terms, balance=GradNorm()), metrics=["accuracy"])
        return model
    if kind == "own_step":
        model = own_step.TwoRates(inputs, outputs)
        model.compile(loss="binary_crossentropy", metrics=["accuracy"], run_eagerly=own_step.BACKEND == "jax")
        return model
    model = keras.Model(inputs, outputs)
    schedule = CosineRestarts(T_0=2, eta_max=0.01, steps_per_epoch=STEPS) if kind == "weighted" else 0.01
    model.compile(
        keras.optimizers.Adam(schedule, use_ema=kind == "endless", ema_overwrite_frequency=7 if kind == "endless" else None),
        "binary_crossentropy",
        metrics=["accuracy", keras.metrics.AUC()],
        steps_per_execution=2 if kind == "weighted_workers" and keras.backend.backend() != "torch" else 1,
    )
    return model


def train(directory, kind, kill):
    """One run of a script; returns all that it ends with."""
    keras.utils.set_random_seed(5)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(SAMPLES, 6)).astype("float32")
    y = (x[:, :1] > 0).astype("float32")
    model = make_model(kind)
    recorder = Recorder()
    callbacks = [
        keras.callbacks.EarlyStopping("val_loss", patience=50, restore_best_weights=True),
        recorder,
        Resume(directory / "resume", every=EVERY.get(kind, 4), verbose=0),
        keras.callbacks.CSVLogger(str(directory / "log.csv")),
    ]
    data = DATA[kind](x, y)
    if kind == "callback_list":
        callbacks += callback_list(directory, data["x"])
    if kind not in ("weighted", "objective", "callback_list", "own_step"):
        callbacks.append(keras.callbacks.ReduceLROnPlateau("val_loss", patience=1, factor=0.5, min_delta=0.01))
    if kill is not None:
        callbacks.insert(0, arm(*kill))
    options = {"epochs": EPOCHS, "verbose": 0, "validation_data": (x[:16], y[:16]), "validation_batch_size": 8}
    history = model.fit(**data, **options, callbacks=callbacks)
    variables = [*model.variables, *model.optimizer.variables, *(v for m in model.metrics for v in m.variables)]
    if kind == "own_step":
        optimizers = [model.trained_by["body"], *model.trained_by["head"]]
        variables += [v for optimizer in optimizers for v in optimizer.variables]
    return {
        "variables": [np.array(keras.ops.convert_to_numpy(v)) for v in variables],
        "history": history.history,
        "epochs": history.epoch,
        "losses": recorder.losses,
        "log": (directory / "log.csv").read_text(),
        "report": (directory / "run" / "history.csv").read_text() if kind == "callback_list" else None,
        "best": sorted(path.name for path in directory.glob("top/*.keras")),
        "random": [random.random(), np.random.random()],  # noqa: NPY002
    }


def callback_list(directory, data):
    """Callbacks that act on the training and on each other."""
    return [
        ours.HardExampleMining(data, every=2, fraction=0.5),
        ours.WeightAveraging("ema", decay=0.9),
        ours.ReduceOnPlateau("val_loss", patience=1, factor=0.5, min_delta=0.01),
        ours.NumericsGuard(every=5),
        ours.GradientHealth(every=4, verbose=0),
        ours.TopKCheckpoints(directory / "top", "val_loss", k=2),
        ours.TensorBoard(directory / "events", histograms=2),
        ours.RunReport(directory / "run", keep=True),
        ours.TimeLimit("99:00:00"),
    ]


def arm(where, count):
    """The callback that kills; or, for the phases of a write, the function replaced by one that kills."""
    if where == "bytes":
        state_file.open = lambda *args: KillingFile(open(*args), count)  # noqa: SIM115
        return keras.callbacks.Callback()
    if where in ("fsync", "replace", "after_replace"):
        calls = [count]
        module = os
        name = where.removeprefix("after_")
        real = getattr(module, name)

        def strike(*args):
            calls[0] -= 1
            if calls[0] == 0 and name == where:
                die()
            result = real(*args)
            if calls[0] == 0:
                die()
            return result

        setattr(module, name, strike)
        return keras.callbacks.Callback()
    return killer(where, count)


class KillingFile:
    """A file that takes so many bytes and then kills the process; counts over all files."""

    written = 0

    def __init__(self, file, limit):
        self._file, self._limit = file, limit

    def write(self, block):
        block = bytes(block)
        room = self._limit - KillingFile.written
        if len(block) >= room:
            self._file.write(block[:room])
            self._file.flush()
            die()
        KillingFile.written += len(block)
        return self._file.write(block)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def __getattr__(self, name):
        return getattr(self._file, name)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def random_kill(rng):
    """(where, count) of a kill that hits early, so that a chain of them makes small steps."""
    where = rng.choice(
        ["on_train_batch_begin", "on_train_batch_end", "on_test_batch_end", "on_epoch_begin", "on_epoch_end"] * 2
        + ["bytes", "fsync", "replace", "after_replace"] * 2
    )
    most = {"on_epoch_begin": 2, "on_epoch_end": 2, "on_test_batch_end": 4, "bytes": 40_000}.get(where, 7)
    return where, rng.randint(1, most)


def in_child(*arguments):
    """The result of `train` in a process of its own, or None if it was killed."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(read_end)
            signal.alarm(TIME_LIMIT)
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            with os.fdopen(write_end, "wb") as pipe:
                pickle.dump(train(*arguments), pipe)
            status = 0
        except BaseException as error:  # the parent hears of it by the exit status
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        content = pipe.read()
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return None
    if status != 0:
        raise RuntimeError(f"a run ended with status {status}")
    return pickle.loads(content)


def differences(one, two):
    """The names of what differs in a single bit."""
    found = [name for name in one if name != "variables" and repr(one[name]) != repr(two[name])]
    pairs = list(zip(one["variables"], two["variables"], strict=True))
    return found + [f"variable {i}" for i, (a, b) in enumerate(pairs) if a.dtype != b.dtype or a.tobytes() != b.tobytes()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=DATA)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    kills, found, chains = [], [], 0
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "whole"
        whole.mkdir()
        expected = in_child(whole, options.kind, None)
        assert len(expected["losses"]) >= EPOCHS * STEPS // 2
        while len(kills) < options.kills:
            chains += 1
            directory = Path(scratch) / f"killed {chains}"
            directory.mkdir()
            result = None
            while result is None:
                kill = random_kill(rng) if len(kills) < options.kills else None
                result = in_child(directory, options.kind, kill)
                if result is None:
                    kills.append(kill)
            found += differences(expected, result)
            # Once more: the training is over, and comes out the same.
            found += differences(expected, in_child(directory, options.kind, None))
            found += [f"draft {path.name}" for path in (directory / "resume").glob(".*")]
    print(json.dumps({"kills": [f"{where} {count}" for where, count in kills], "chains": chains, "differences": found}))


if __name__ == "__main__":
    main()
