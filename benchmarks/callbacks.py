"""What each callback adds to a training step, and to an epoch, beside the same `fit` without it."""

import io
import tempfile
from pathlib import Path

import keras
import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks import timing
from kerasmith import callbacks
from kerasmith.data import WeightedBatches
from kerasmith.schedules import CosineRestarts

SHORT, LONG, BATCH, UNITS = 200, 1000, 32, 64


def contenders(scratch):
    """{name: callbacks of a `fit`}; each gets a model of its own."""
    page = Console(file=io.StringIO())
    return {
        "ScheduleLR": [callbacks.ScheduleLR(CosineRestarts(T_0=5, eta_max=1e-3, steps_per_epoch=SHORT))],
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
        self.model.optimizer.learning_rate = 1e-3 * (1 + np.cos(batch / SHORT))


class Slices(keras.utils.PyDataset):
    """Batches in the order of the data, by hand."""

    def __init__(self, x):
        super().__init__()
        self.x = x

    def __len__(self):
        return len(self.x) // BATCH

    def __getitem__(self, index):
        rows = self.x[index * BATCH : (index + 1) * BATCH]
        return rows, rows


def run(*, quick=False, only="", markdown=False, with_memory=True):
    """Prints the table for the backend in use; arguments as of `losses.run`."""
    x = np.random.default_rng(0).random((LONG * BATCH, UNITS), "float32")
    with tempfile.TemporaryDirectory() as scratch:
        pairs = [_calls(Path(scratch) / str(steps), x[: steps * BATCH]) for steps in (SHORT, LONG)]
        names = [name for name in pairs[0] if only.lower() in name.lower()]
        rows = [[name, *_costs([calls[name] for calls in pairs], x, blocks=3 if quick else 9)] for name in names]
    note = (
        f"CPU time, two dense layers of {UNITS}, batch {BATCH}; a step, and an epoch with its `fit`, in steps of `fit` without"
    )
    if markdown:
        print(f"**callbacks, {keras.backend.backend()}.** {note}.\n\n| callback | each step | each epoch |\n|---|--:|--:|")
        print("\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n")
        return
    table = Table(title=f"callbacks, {keras.backend.backend()}", caption=note, box=box.SIMPLE_HEAD)
    for i, name in enumerate(("callback", "each step", "each epoch")):
        table.add_column(name, justify="right" if i else "left")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _calls(directory, x):
    """{name: call that trains one more epoch}."""
    directory.mkdir()
    weights = np.random.default_rng(1).random(len(x))
    return {
        **{name: _epoch(x, those) for name, those in contenders(directory).items()},
        "WeightedBatches": _epoch(WeightedBatches(x, x, BATCH, weights=weights), []),
        "Keras: PyDataset of slices": _epoch(Slices(x), []),
        "nothing, again": _epoch(x, []),
    }


def _costs(calls, x, *, blocks):
    """What is added to a step and to an epoch: the slope and the rest over two lengths of the epoch."""
    floors = [_epoch(x[: steps * BATCH], []) for steps in (SHORT, LONG)]
    # Each beside floors of its own: over twenty callbacks the machine drifts by more than most of them add.
    four = {"short": calls[0], "long": calls[1], "long without": floors[1]}
    ratios = timing.ratios(four, floors[0], blocks=blocks, block_seconds=0.0)
    short, long, without = (np.median(ratios[name]) for name in four)
    # Of an epoch of `SHORT` steps without.
    step = (without - 1) / (LONG - SHORT)
    more = (long - short) / (LONG - SHORT)
    return f"{100 * (more / step - 1):+.1f} %", f"{(short - 1) / step - SHORT * (more / step - 1):+.0f}"


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
