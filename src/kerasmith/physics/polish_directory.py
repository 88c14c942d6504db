"""A polish that was interrupted, taken up from its directory."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import tree

from kerasmith.files.messages import say, warn
from kerasmith.keras_internals.loss_and_gradient import LossAndGradient
from kerasmith.physics.evaluation_journal import EvaluationJournal, read_head
from kerasmith.physics.fixed_loss import at_the_start


def open_journal(path: Path, model: keras.Model, loss: LossAndGradient, batch: Any, steps: int) -> tuple[Any, ...]:
    """The arguments of `Minimisation.train`: from what a directory has, or from the weights of the model where it is empty.

    Raises:
        ValueError: if the directory belongs to another model, other data or another loss.
    """
    found = read_head(path)
    here = {"weights": [[_name(v), list(v.shape)] for v in loss.variables], "data": _shapes(batch), "dtype": loss.dtype}
    now = loss.read()
    if found is None:
        first = at_the_start(model, loss, now)
        here["columns"] = list(first.logs)
        journal = EvaluationJournal(path, here["columns"], len(now), loss.dtype)
        begin = _beginner(journal, here, now)
        begin(now, [])
        return journal, now, first, [], begin
    head, arrays = found
    for what, value in here.items():
        if head[what] != value:
            raise ValueError(
                f"{path} belongs to another polish: its {what} were {head[what]}, here they are {value}. Give another one."
            )
    start, origin = arrays["start"], arrays["origin"]
    journal = EvaluationJournal(path, head["columns"], len(start), loss.dtype)
    rows = [dict(zip(["loss", *head["columns"]], map(float, row), strict=True)) for row in arrays["rows"]]
    if len(rows) > steps:
        raise ValueError(
            f"{path} has made {len(rows)} steps already. Ask for more, or give another directory. Received: steps={steps}"
        )
    first = at_the_start(model, loss, start)
    if list(first.logs) != head["columns"]:
        raise ValueError(
            f"{path} belongs to another polish: its columns were {head['columns']}, and are {list(first.logs)} here. Give "
            "another directory."
        )
    known = journal.go_on(head)
    there = journal.next(start)
    if there is not None:
        tolerance = 1e-4 if loss.dtype == "float32" else 1e-9
        if not np.isclose(there.loss, first.loss, rtol=tolerance):
            journal.close()
            raise ValueError(
                f"{path} belongs to another polish: at the weights where it began, the loss was {there.loss:.8g}, and it is "
                f"{first.loss:.8g} here. The data or the equations are others. Give another directory."
            )
        journal.repeat()
    if not np.array_equal(now, origin) and not journal.has(now):
        warn(
            f"polish goes on from {path}, which began with other weights than the model has now; these are given up. Give "
            "another directory to begin with them.",
            stacklevel=4,
        )
    after = f", after step {len(rows)}" if rows else ""
    say(f"polish: goes on from {path}, where {known} evaluations of the loss are known{after}.")
    return journal, start, first, rows, _beginner(journal, here | {"columns": head["columns"]}, origin)


def _beginner(journal, head, origin):
    def begin(weights, rows):
        table = [[row[name] for name in ("loss", *head["columns"])] for row in rows]
        shape = (len(rows), 1 + len(head["columns"]))
        journal.begin(head, {"start": weights, "origin": origin, "rows": np.array(table, "float64").reshape(shape)})

    return begin


def _name(variable):
    # Without the counters of Keras: layers get other numbers when a notebook builds the model a second time.
    return variable.path.split("/")[-1]


def _shapes(batch):
    return [None if leaf is None else [list(leaf.shape), str(leaf.dtype)] for leaf in tree.flatten(list(batch))]
