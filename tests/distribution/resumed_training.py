"""Run as one of several processes, or alone, `FOLDER [HOOK RANK COUNT]`: trains with `Resume` and writes what came out.

With HOOK the process of a rank kills itself in the COUNT-th call of that hook of callbacks; with "pauses" it ends the run for
now in its COUNT-th step, as `TimeLimit` does.
"""

import itertools
import json
import os
import pathlib
import sys
import time

import keras
import numpy as np

from kerasmith import callbacks, distribution
from tests.distribution.peak import Peak

place = distribution.setup()
folder = pathlib.Path(sys.argv[1])
hook, rank, count = (sys.argv[2], *map(int, sys.argv[3:5])) if len(sys.argv) > 2 else ("", -1, 0)
SLOW = float(os.environ.get("TEST_SECONDS_A_STEP", "0"))
SAMPLES, BATCH, EPOCHS = 22, 4, 4
backend = keras.backend.backend()


class Steps(keras.callbacks.Callback):
    """The loss of each step, and a number that each process draws for itself."""

    def __init__(self):
        super().__init__()
        self.losses, self.own = [], place.rank * 100

    def on_train_batch_begin(self, batch, logs=None):
        (folder / f"{place.rank}.pid").write_text(str(os.getpid()))
        time.sleep(SLOW)

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(float(logs["loss"]))
        self.own += 1

    def state_dict(self):
        return {"losses": self.losses, "own": self.own}

    def load_state_dict(self, state):
        self.losses, self.own = list(state["losses"]), state["own"]


def die():
    (folder / "killed").write_text(str(time.time()))
    os.kill(os.getpid(), 9)


class Pauses(keras.callbacks.Callback):
    """Says so in one step, and stops in the next, when `Resume` has saved."""

    def __init__(self):
        super().__init__()
        self.pausing, self.steps = False, 0

    def on_train_batch_begin(self, batch, logs=None):
        if self.pausing:
            self.model.stop_training = True
        self.steps += 1
        self.pausing = self.steps >= count

    def state_dict(self):
        """Nothing that the next run needs."""


def killer():
    if hook == "pauses":
        return Pauses() if place.rank == rank else keras.callbacks.Callback()
    calls, callback = itertools.count(1), keras.callbacks.Callback()
    if place.rank == rank:
        setattr(callback, hook, lambda *args, **kwargs: die() if next(calls) == count else None)
    return callback


rng = np.random.default_rng(0)
x = rng.normal(size=(SAMPLES, 5)).astype("float32")
y = (x[:, :1] > 0).astype("float32")
keras.utils.set_random_seed(5)
inputs = keras.Input((5,))
hidden = keras.layers.Dense(6, "relu")(inputs)
if os.environ.get("TEST_PLAIN") is None:
    hidden = hidden if backend == "tensorflow" else keras.layers.BatchNormalization()(hidden)
    hidden = keras.layers.Dropout(0.3)(hidden)
model = keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(hidden))
model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["mae", Peak()])
steps = Steps()
watchers = [
    killer(),
    steps,
    keras.callbacks.EarlyStopping("val_loss", patience=50, restore_best_weights=True),
    keras.callbacks.CSVLogger(folder / "log.csv"),
    callbacks.Resume(folder / "resume", every=4),
]
history = model.fit(
    x, y, batch_size=BATCH, epochs=EPOCHS, validation_data=(x[:7], y[:7]), verbose=0, callbacks=watchers
).history
variables = [*model.variables, *model.optimizer.variables, *(v for metric in model.metrics for v in metric.variables)]
found = {
    "weights": [np.asarray(keras.ops.convert_to_numpy(one)).ravel().tolist() for one in variables],
    "history": history,
    "losses": steps.losses,
    "own": steps.own,
    "log": (folder / "log.csv").read_text() if place.rank == 0 else "",
    "drawn": np.random.random(),  # noqa: NPY002
}
(folder / f"{place.rank}.json").write_text(json.dumps(found, default=float))
