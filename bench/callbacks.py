"""What each callback adds to a training step, beside the same `fit` without it."""

import io
import tempfile
from pathlib import Path

import keras
import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from bench import timing
from kerasmith import callbacks
from kerasmith.data import WeightedBatches
from kerasmith.schedules import CosineRestarts

STEPS, BATCH, UNITS = 1000, 32, 64


def contenders(scratch, x, y):
    """{name: callbacks of a `fit`}; each gets a model of its own."""
    page = Console(file=io.StringIO())
    return {
        "ScheduleLR": [callbacks.ScheduleLR(CosineRestarts(T_0=5, eta_max=1e-3, steps_per_epoch=STEPS))],
        "Keras: LearningRateScheduler each step": [EachStep()],
        "Resume, each epoch": [callbacks.Resume(scratch / "epoch", verbose=0)],
        "Resume, every 500 steps": [callbacks.Resume(scratch / "steps", every=500, verbose=0)],
        "Keras: BackupAndRestore, each epoch": [keras.callbacks.BackupAndRestore(scratch / "backup")],
        "NumericsGuard": [callbacks.NumericsGuard()],
        "GradientHealth": [callbacks.GradientHealth()],
        "WeightAveraging, ema": [callbacks.WeightAveraging("ema")],
        "WeightAveraging, swa": [callbacks.WeightAveraging("swa")],
        "ReduceOnPlateau": [callbacks.ReduceOnPlateau("loss")],
        "TimeLimit": [callbacks.TimeLimit(1e6)],
        "TopKCheckpoints": [callbacks.TopKCheckpoints(scratch / "top", "loss")],
        "TensorBoard": [callbacks.TensorBoard(scratch / "events")],
        "Keras: TensorBoard": [keras.callbacks.TensorBoard(scratch / "keras")],
        "LiveProgress": [callbacks.LiveProgress(page)],
        "LossTerms": [callbacks.LossTerms()],
        "RunReport": [callbacks.RunReport(scratch / "run")],
    }


class EachStep(keras.callbacks.Callback):
    """A learning-rate policy as it is written by hand."""

    def on_train_batch_begin(self, batch, logs=None):
        self.model.optimizer.learning_rate = 1e-3 * (1 + np.cos(batch / STEPS))


def run(*, quick=False, only="", markdown=False, with_memory=True):
    """Prints the table for the backend in use; arguments as of `losses.run`."""
    rng = np.random.default_rng(0)
    x = rng.random((STEPS * BATCH, UNITS), "float32")
    with tempfile.TemporaryDirectory() as scratch:
        chosen = {name: those for name, those in contenders(Path(scratch), x, x).items() if only.lower() in name.lower()}
        calls = {name: _epoch(x, those) for name, those in chosen.items()}
        calls["WeightedBatches"] = _epoch(WeightedBatches(x, x, BATCH, weights=rng.random(len(x))), [])
        calls["nothing, again"] = _epoch(x, [])
        ratios = timing.ratios(calls, _epoch(x, []), blocks=3 if quick else 9, block_seconds=0.0)
    rows = [[name, f"{100 * (np.median(values) - 1):+.1f} %"] for name, values in ratios.items()]
    note = (
        f"CPU time of an epoch of {STEPS} steps of two dense layers of {UNITS}, batch {BATCH}, beside `fit` without callbacks"
    )
    if markdown:
        print(f"**callbacks, {keras.backend.backend()}.** {note}.\n\n| callback | adds |\n|---|--:|")
        print("\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n")
        return
    table = Table("callback", "adds", title=f"callbacks, {keras.backend.backend()}", caption=note, box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _epoch(x, those):
    """One more epoch of a model that has its callbacks from its first on."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((UNITS,)), keras.layers.Dense(UNITS, "relu"), keras.layers.Dense(UNITS)])
    model.compile(keras.optimizers.SGD(1e-3), "mse")
    data = {"x": x} if isinstance(x, keras.utils.PyDataset) else {"x": x, "y": x, "batch_size": BATCH, "shuffle": False}
    done = iter(range(10**6))

    def epoch():
        number = next(done)
        model.fit(**data, epochs=number + 1, initial_epoch=number, verbose=0, callbacks=those)

    return epoch
