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

STEPS, BATCH, UNITS = 500, 32, 64


def contenders(scratch):
    """{name: callbacks of a `fit`}; each gets a model of its own."""
    page = Console(file=io.StringIO())
    return {
        "ScheduleLR": [callbacks.ScheduleLR(CosineRestarts(T_0=5, eta_max=1e-3, steps_per_epoch=STEPS))],
        "Keras: LearningRateScheduler each step": [EachStep()],
        "Resume, each epoch": [callbacks.Resume(scratch / "epoch", verbose=0)],
        "Resume, every 500 steps": [callbacks.Resume(scratch / "steps", every=500, verbose=0)],
        "NumericsGuard": [callbacks.NumericsGuard()],
        "GradientHealth": [callbacks.GradientHealth()],
        "WeightAveraging, ema each step": [callbacks.WeightAveraging("ema")],
        "WeightAveraging, ema every 10": [callbacks.WeightAveraging("ema", every=10)],
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


class Slices(keras.utils.PyDataset):
    """Batches in the order of the data, by hand."""

    def __init__(self, x):
        super().__init__()
        self.x = x

    def __len__(self):
        return STEPS

    def __getitem__(self, index):
        rows = self.x[index * BATCH : (index + 1) * BATCH]
        return rows, rows


def run(*, quick=False, only="", markdown=False, with_memory=True):
    """Prints the table for the backend in use; arguments as of `losses.run`."""
    rng = np.random.default_rng(0)
    x = rng.random((STEPS * BATCH, UNITS), "float32")
    with tempfile.TemporaryDirectory() as scratch:
        chosen = {name: those for name, those in contenders(Path(scratch)).items() if only.lower() in name.lower()}
        calls = {name: _epoch(x, those) for name, those in chosen.items()}
        if not only:
            calls["WeightedBatches"] = _epoch(WeightedBatches(x, x, BATCH, weights=rng.random(len(x))), [])
            calls["Keras: PyDataset of slices"] = _epoch(Slices(x), [])
            calls["nothing, again"] = _epoch(x, [])
        # Each beside a floor of its own: over twenty of them the machine drifts by more than most add.
        ratios = {
            name: timing.ratios({name: call}, _epoch(x, []), blocks=3 if quick else 11, block_seconds=0.0)[name]
            for name, call in calls.items()
        }
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
