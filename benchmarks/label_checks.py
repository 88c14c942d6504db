"""What it costs a loss to see to it that labels are what they can be."""

from typing import Any, NamedTuple

import keras
import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks import modes, timing
from benchmarks.cases import Case
from kerasmith import losses
from kerasmith.labels import pixels

SIZE = (8, 256, 256)
CASES = {"mask": Case((*SIZE, 1), False), "ids": Case((*SIZE, 4), False, ids=True), "one-hot": Case((*SIZE, 4), False)}
LOSSES = {"Dice": losses.Dice, "CrossEntropy": losses.CrossEntropy}


class Call(NamedTuple):
    """A loss and its batch, as `modes.prepare` takes them."""

    loss: Any
    y_true: Any
    y_pred: Any


def run(*, quick=False, only="", markdown=False, with_memory=True):
    """Prints the table for the backend in use; arguments as of `losses.run`. Memory is that of the loss itself."""
    table = Table(title=f"label checks, {keras.backend.backend()}", box=box.MARKDOWN if markdown else box.SIMPLE)
    for column in ("loss", "labels", "mode", "with the check / without"):
        table.add_column(column)
    for name, make in LOSSES.items():
        for labels, case in CASES.items():
            if only.lower() in f"{name} {labels}".lower():
                for mode in modes.modes():
                    table.add_row(name, labels, mode, f"{_ratio(make, case, mode, blocks=5 if quick else 25):.3f}")
    Console().print(table)


def _ratio(make, case, mode, *, blocks):
    """Value and gradient of a loss, with the check, as a multiple of the same without it; the median."""
    loss, (y_true, y_pred) = make(), (case.truth(), case.predictions())

    def unchecked(y_true, y_pred):
        check, pixels.check_labels = pixels.check_labels, lambda labels, *_: labels
        try:
            return loss(y_true, y_pred)
        finally:
            pixels.check_labels = check

    checked, floor = (modes.prepare(Call(of, y_true, y_pred), mode)[1] for of in (loss, unchecked))
    return float(np.median(timing.ratios({"checked": checked}, floor, blocks=blocks)["checked"]))
