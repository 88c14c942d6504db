"""What stands out in a history, in plain sentences."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from kerasmith.base.direction import best_index, direction_of
from kerasmith.report.numbers import format_number

Row: TypeAlias = Mapping[str, Any]  # an epoch of the history: numbers by name, with `epoch`
Directions: TypeAlias = Mapping[str, str | None] | None  # {metric name: "max", "min" or None}

_WORSE = 0.05
"""A last value this share of the curve's own span behind the best one is worth a sentence."""


def observations(rows: Sequence[Row], known: Directions = None, learning_rate: str = "learning_rate") -> list[str]:
    """Sentences about a history that a reader should not have to find in the curves.

    Args:
        rows: one dict of numbers for each epoch, with `epoch`.
        known: {metric name: "max" or "min"}.
        learning_rate: the column to leave out.

    Returns:
        A list of plain texts, the most serious first.

    Example:

    >>> observations([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": float("nan")}])
    ['loss is not finite in epoch 2 (1 of 2 epochs).']
    """
    names = dict.fromkeys(name for row in rows for name in row if name not in ("epoch", learning_rate))
    broken, notes = [], []
    for name in names:
        epochs = [row["epoch"] for row in rows if row.get(name) is not None and not math.isfinite(row[name])]
        if epochs:
            broken.append(f"{name} is not finite {_span(epochs)} ({len(epochs)} of {len(rows)} epochs).")
    monitored = [n for n in names if n.startswith("val_")] or [n for n in names if "val_" + n not in names]
    for name in monitored:
        notes += _about_best(rows, name, known)
    if "loss" in names:
        notes += _about_loss(rows)
    return broken + notes


def _about_best(rows: Sequence[Row], name: str, known: Directions) -> list[str]:
    direction = direction_of(name, known)
    points = [(row["epoch"], row[name]) for row in rows if row.get(name) is not None and math.isfinite(row[name])]
    best = best_index([value for _, value in points], direction)
    if best is None or len(points) < 3:
        return []
    values = [value for _, value in points]
    span, behind = max(values) - min(values), abs(values[-1] - values[best])
    (epoch, value), (last_epoch, last) = points[best], points[-1]
    if best < len(points) - 1 and span > 0 and behind > _WORSE * span:
        return [
            f"{name} was best in epoch {epoch} ({format_number(value)}) and is {format_number(last)} "
            f"in the last one, epoch {last_epoch}."
        ]
    recent = abs(values[-1] - values[-1 - max(1, len(values) // 5)])
    if best == len(points) - 1 and span > 0 and recent > 0.1 * span and name in ("val_loss", "loss"):
        return [f"{name} was still getting better at the end: a longer run may gain more."]
    return []


def _about_loss(rows: Sequence[Row]) -> list[str]:
    both = [row for row in rows if _finite(row.get("loss")) and _finite(row.get("val_loss"))]
    losses = [row["loss"] for row in rows if _finite(row.get("loss"))]
    if len(losses) >= 3 and min(losses[1:]) >= losses[0]:
        return ["loss never went below its value in the first epoch: check the learning rate, the labels and the loss."]
    if len(both) < 4:
        return []
    best = best_index([row["val_loss"] for row in both], "min")
    then, now = both[best], both[-1]
    if best < len(both) - 2 and now["loss"] < 0.9 * then["loss"] and now["val_loss"] > 1.05 * then["val_loss"] > 0:
        return [
            f"From epoch {then['epoch']} to {now['epoch']} loss fell from {format_number(then['loss'])} to "
            f"{format_number(now['loss'])} while val_loss rose from {format_number(then['val_loss'])} to "
            f"{format_number(now['val_loss'])}: the model fits the training data better than it generalises."
        ]
    return []


def _finite(value: Any) -> bool:
    return value is not None and math.isfinite(value)


def _span(epochs: Sequence[int]) -> str:
    if len(epochs) == 1:
        return f"in epoch {epochs[0]}"
    if epochs[-1] - epochs[0] == len(epochs) - 1:
        return f"from epoch {epochs[0]} to {epochs[-1]}"
    return f"first in epoch {epochs[0]}"
