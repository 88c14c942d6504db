"""What stands out in sampled gradients, in plain sentences."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from kerasmith.report.numbers import format_number

_DEAD_SHARE = 0.5
_JUMP = 100.0
_LARGE_UPDATE = 0.1
_SMALL_UPDATE = 1e-6
_VANISHING = 1e-6


def gradient_notes(rows: Sequence[Mapping[str, Any]], new: int) -> dict[str, str]:
    """{kind: sentence} about the newest samples.

    Args:
        rows: all rows of `GradientHealth` so far, in order.
        new: how many of them are new, at least 1.

    Kinds: "not finite"; "exploding", a norm more than 100 times the layer's median before; "no gradient"; "dead", half of a
    layer's units or more without any gradient in every new sample; "large updates", above 10 % of the weights; "small
    updates", below a millionth of the weights in all layers; "vanishing", a millionth of another layer's gradient.

    Example:

    >>> quiet = {"gradient": 0.0, "weight": 1.0, "update": 0.0, "zeros": 1.0, "dead": 1.0}
    >>> gradient_notes([{"step": 0, "layers": {"dense": quiet}}], 1)
    {'no gradient': "The layer 'dense' gets no gradient: what it computes does not reach the loss, or all of it is dead."}
    """
    now, before = rows[-new:], rows[:-new]
    names = list(dict.fromkeys(name for row in now for name in row["layers"]))
    of = {name: _columns(now, name) for name in names}
    notes = {}
    for name in names:
        column = of[name]
        if not all(map(math.isfinite, column["gradient"])):
            notes.setdefault("not finite", f"The gradient of the layer {name!r} was not finite.")
            continue
        past = [g for g in _columns(before, name)["gradient"] if math.isfinite(g)]
        jump = max(column["gradient"]) / statistics.median(past) if len(past) > 2 and statistics.median(past) > 0 else 0.0
        if jump > _JUMP:
            notes.setdefault(
                "exploding", f"The gradient of the layer {name!r} was {format_number(round(jump))} times what it used to be."
            )
        if max(column["gradient"]) == 0.0:
            notes.setdefault(
                "no gradient",
                f"The layer {name!r} gets no gradient: what it computes does not reach the loss, or all of it is dead.",
            )
        elif min(column["dead"]) >= _DEAD_SHARE:
            notes.setdefault(
                "dead", f"At least {min(column['dead']):.0%} of the units of the layer {name!r} get no gradient from a batch."
            )
        if column["update"] and statistics.median(column["update"]) > _LARGE_UPDATE:
            notes.setdefault(
                "large updates",
                f"One step changes the weights of the layer {name!r} by {statistics.median(column['update']):.0%}: "
                "the learning rate may be too high.",
            )
    return {**notes, **_about_all(of)}


def _about_all(of: Mapping[str, dict[str, list[float]]]) -> dict[str, str]:
    notes = {}
    updates = [statistics.median(column["update"]) for column in of.values() if column["update"]]
    if updates and 0 < max(updates) < _SMALL_UPDATE:
        notes["small updates"] = (
            f"One step changes no layer by more than {format_number(max(updates))} of its weights: "
            "the learning rate may be too low."
        )
    middles = {name: statistics.median(column["gradient"]) for name, column in of.items()}
    middles = {name: middle for name, middle in middles.items() if math.isfinite(middle) and middle > 0}
    if middles:
        low, high = min(middles, key=middles.get), max(middles, key=middles.get)
        if middles[low] < _VANISHING * middles[high]:
            notes["vanishing"] = (
                f"The gradient of the layer {low!r} is {format_number(middles[low] / middles[high])} of that of {high!r}."
            )
    return notes


def _columns(rows: Sequence[Mapping[str, Any]], name: str) -> dict[str, list[float]]:
    found = [row["layers"][name] for row in rows if name in row["layers"]]
    return {
        quantity: [values[quantity] for values in found if values[quantity] is not None]
        for quantity in ("gradient", "update", "dead")
    }
