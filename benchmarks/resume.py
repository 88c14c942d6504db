"""What a checkpoint of `Resume` costs: how long training waits for it, and all of it, beside one write of the same bytes."""

import os
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from kerasmith.callbacks import Resume

SIZES = (("two dense layers of 64", 64, 64), ("two dense layers of 700", 700, 32), ("two dense layers of 2,000", 2000, 32))


def run(*, quick=False, only="", markdown=False, with_memory=True):
    """Prints the table for the backend in use; arguments as of `losses.run`."""
    chosen = [size for size in SIZES if only.lower() in size[0]][: 2 if quick else None]
    rows = [_row(*size, repeats=3 if quick else 9) for size in chosen]
    head = ["model", "parameters", "state", "training waits, in writes", "whole save, in writes", "waits, in training steps"]
    note = "1 write = the same bytes in one `write`, with fsync; medians; Adam, so the state is three times the weights"
    if markdown:
        print(f"**resume, {keras.backend.backend()}.** {note}.\n\n| {' | '.join(head)} |\n|---|{'--:|' * (len(head) - 1)}")
        print("\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n")
        return
    table = Table(title=f"resume, {keras.backend.backend()}", caption=note, box=box.SIMPLE_HEAD)
    for i, name in enumerate(head):
        table.add_column(name, justify="right" if i else "left")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


class Timed(Resume):
    """Measures its own saves; wall time, as it is the disk that counts."""

    def __init__(self, directory, scratch, **options):
        super().__init__(directory, **options)
        self.scratch = scratch
        self.waits, self.saves, self.writes, self.state_bytes = [], [], [], 0

    def _save(self):
        start = time.perf_counter()
        super()._save()
        self.waits.append(time.perf_counter() - start)
        self.wait()
        self.saves.append(time.perf_counter() - start)
        newest = max(self.directory.glob("*.state"))
        content = newest.read_bytes()
        self.state_bytes = len(content)
        start = time.perf_counter()
        with open(self.scratch / "floor", "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self.writes.append(time.perf_counter() - start)


def _row(name, units, batch, *, repeats):
    x = np.random.default_rng(0).random((batch * 20, units), "float32")
    model = keras.Sequential([keras.Input((units,)), keras.layers.Dense(units, "relu"), keras.layers.Dense(units)])
    model.compile("adam", "mse")
    model.fit(x, x, batch_size=batch, verbose=0)
    start = time.perf_counter()
    model.fit(x, x, batch_size=batch, verbose=0, epochs=3)
    step = (time.perf_counter() - start) / 60
    with tempfile.TemporaryDirectory() as scratch:
        timed = Timed(Path(scratch) / "run", Path(scratch), every=10)
        model.fit(x, x, batch_size=batch, verbose=0, epochs=1 + repeats // 2, shuffle=False, callbacks=[timed])
    waits, saves, writes = (np.array(values[1:]) for values in (timed.waits, timed.saves, timed.writes))
    return [
        name,
        f"{model.count_params():,}",
        f"{timed.state_bytes / 1e6:.1f} MB",
        f"{np.median(waits / writes):.2f}",
        f"{np.median(saves / writes):.2f}",
        f"{np.median(waits) / step:.1f}",
    ]
