"""Events that nobody tells: of callbacks of Keras, of the files that were kept, of the learning rate."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from kerasmith.callbacks.top_k_checkpoints import TopKCheckpoints
from kerasmith.report.numbers import format_number

Found = tuple[str, str, str, float]  # kind, text, by, epoch
_MOST_RESTARTS = 30


def at_the_end(callbacks: Iterable[Any], offset: int, last_row: Mapping[str, Any]) -> Iterator[Found]:
    """(kind, text, by, epoch) of what callbacks have done in a `fit` that ends.

    Args:
        callbacks: of the `fit`.
        offset: epochs before those that this `fit` counts.
        last_row: of the history.
    """
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.EarlyStopping) and callback.stopped_epoch > 0:
            text = f"{callback.monitor} did not improve for {callback.patience} epochs"
            if callback.best_epoch is not None and callback.best is not None:
                text += f"; best {format_number(float(callback.best))} in epoch {callback.best_epoch + 1 + offset}"
                if callback.restore_best_weights and callback.best_weights is not None:
                    text += ", whose weights are put back"
            yield "early stop", text, "EarlyStopping", callback.stopped_epoch + 1 + offset
        elif isinstance(callback, keras.callbacks.TerminateOnNaN):
            loss = last_row.get("loss")
            if loss is not None and not math.isfinite(loss):
                yield (
                    "not finite",
                    f"the loss was {format_number(loss)}, training stopped",
                    "TerminateOnNaN",
                    last_row["epoch"],
                )
        elif isinstance(callback, TopKCheckpoints):
            for place, entry in enumerate(callback.entries, 1):
                text = f"{entry['file']}: {callback.monitor} {format_number(entry['value'])}, place {place}"
                yield "checkpoint", text, "TopKCheckpoints", entry["epoch"]


def lowered(callbacks: Iterable[Any], rows: Sequence[Mapping[str, Any]]) -> Iterator[Found]:
    """What `keras.callbacks.ReduceLROnPlateau` has done between the last two epochs."""
    plateau = any(isinstance(callback, keras.callbacks.ReduceLROnPlateau) for callback in callbacks)
    if plateau and len(rows) > 1:
        before, now = (row.get("learning_rate") for row in rows[-2:])
        if before is not None and now is not None and now < before:
            text = f"from {format_number(before)} to {format_number(now)}"
            yield "learning rate", text, "ReduceLROnPlateau", rows[-2]["epoch"]


def restarts(positions: np.ndarray, rates: np.ndarray) -> Iterator[Found]:
    """Where the learning rate, after it fell, jumps by more than half of its range."""
    span = float(np.ptp(rates)) if len(rates) else 0.0
    jumps = [
        i for i in range(2, len(rates)) if span > 0 and rates[i] - rates[i - 1] > 0.5 * span and rates[i - 1] <= rates[i - 2]
    ]
    if len(jumps) > _MOST_RESTARTS:
        yield "restart", f"{len(jumps)} times", "learning rate", round(float(positions[jumps[0]]), 3)
        return
    for i in jumps:
        yield "restart", f"back at {format_number(float(rates[i]))}", "learning rate", round(float(positions[i]), 3)
