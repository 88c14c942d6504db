"""The sections of the report of a training run: curves, what stands out, tables of values."""

import math
from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np

from kerasmith.base.direction import best_index, direction_of
from kerasmith.report.curves import VALIDATION, line_chart
from kerasmith.report.events import event_marks
from kerasmith.report.observations import Directions, Row, observations
from kerasmith.report.page import Section
from kerasmith.report.tables import table
from kerasmith.report.templating import Markup, render_template

LEARNING_RATE = "learning_rate"
_WEIGHT = "_weight"
BETTER: dict[str | None, str] = {"max": "higher is better", "min": "lower is better", None: ""}
"""What an axis says: `mask_dice` may be a loss and `mask_dice_score` the metric."""
_WIDE_RANGE = 50
"""Curves that span more than this factor get a logarithmic axis."""


def training_sections(
    rows: Sequence[Row],
    known: Directions = None,
    rate_curve: tuple[Sequence[float], Sequence[float]] | None = None,
    events: Sequence[Mapping[str, Any]] = (),
    terms: Container[str] = (),
) -> list[Section]:
    """[what stands out, curves] of a history.

    Args:
        rows: one dict of numbers for each epoch, with `epoch`.
        known: {metric name: "max" or "min"}.
        rate_curve: (positions in epochs, learning rates), finer than one for each epoch.
        events: {"epoch", "kind", "by", "text"} of what happened; marks on the curves.
        terms: names of the terms of losses: their curves say what is better, and nothing is told of them.
    """
    if not rows:
        return [Section("Training", "<p>No epoch has ended yet.</p>")]
    notes = observations(rows, known)
    listed = render_template("charts.html", notes=notes, charts=[], hint=None)
    sections = [Section("What stands out", listed, kind="notes")] if notes else []
    return [*sections, Section("Curves", curves(rows, known, rate_curve, events, terms))]


def curves(
    rows: Sequence[Row],
    known: Directions = None,
    rate_curve: tuple[Sequence[float], Sequence[float]] | None = None,
    events: Sequence[Mapping[str, Any]] = (),
    terms: Container[str] = (),
) -> Markup:
    """One chart for each quantity with that of the validation, and one of the learning rate."""
    epochs = [row["epoch"] for row in rows]
    charts, has_validation, has_rings = [], False, False
    marked = event_marks(events)
    weights = [name for name in quantities(rows) if _is_term_weight(name, rows, known)]
    for name in quantities(rows):
        if name in weights or _is_constant_count(name, rows, known):
            continue
        pair = {n: [row.get(n) for row in rows] for n in (name, VALIDATION + name) if any(n in row for row in rows)}
        monitored = list(pair)[-1]
        direction = direction_of(monitored, known, terms)
        best = best_index(pair[monitored], direction)
        has_validation = has_validation or len(pair) > 1
        has_rings = has_rings or (best is not None and len(rows) > 1)
        finite = [v for values in pair.values() for v in values if v is not None and math.isfinite(v)]
        charts.append(
            line_chart(
                pair, x=epochs, title=name, x_label="epoch", log_y=_is_wide(finite),
                marks={monitored: best} if best is not None and len(rows) > 1 else None, sync="epoch",
                events=marked, y_label=BETTER[direction],
            )
        )  # fmt: skip
    if weights:
        # Of one kind and one scale; validation has the weights of the epoch's last step.
        series = {name.removesuffix(_WEIGHT): [row.get(name) for row in rows] for name in weights}
        charts.append(line_chart(series, x=epochs, title="weights of the terms", x_label="epoch", sync="epoch", events=marked))
    if rate_curve is not None and len(rate_curve[0]) > 1:
        charts.append(_rate_chart(*rate_curve, marked))
    elif any(LEARNING_RATE in row for row in rows):
        charts.append(_rate_chart(epochs, [row.get(LEARNING_RATE) for row in rows], marked))
    hint = (
        ["Dashed: validation."] * has_validation
        + ["A ring marks the best epoch."] * has_rings
        + ["Lines across: what happened."] * bool(marked)
    )
    return render_template("charts.html", charts=charts, notes=[], hint=" ".join(hint))


def _is_term_weight(name: str, rows: Sequence[Row], known: Directions) -> bool:
    """Whether a column is the weight of a term of an objective."""
    is_neutral = (known or {}).get(name, "") is None
    return is_neutral and name.endswith(_WEIGHT) and any(name.removesuffix(_WEIGHT) in row for row in rows)


def _is_constant_count(name: str, rows: Sequence[Row], known: Directions) -> bool:
    """Whether a metric says that a quantity is neither good nor bad, and it never changes: how many images there are."""
    if (known or {}).get(name, "") is not None:
        return False
    return all(len({row[n] for row in rows if n in row}) <= 1 for n in (name, VALIDATION + name))


def quantities(rows: Sequence[Row]) -> list[str]:
    """The logged names without those of the validation, epoch and learning rate; loss first."""
    names = dict.fromkeys(n.removeprefix(VALIDATION) for row in rows for n in row if n not in ("epoch", LEARNING_RATE))
    return sorted(names, key=lambda name: name != "loss")


def _with_counts(rows: Sequence[Row], known: Directions) -> list[Row]:
    """The rows with whole numbers as such in columns of metrics that are neither good nor bad: counts."""
    neutral = [n for n in _columns(rows) if n.removeprefix(VALIDATION) in (known or {}) and direction_of(n, known) is None]
    values = {n: [row[n] for row in rows if row.get(n) is not None] for n in neutral}
    counts = {n for n, v in values.items() if all(math.isfinite(x) and x == round(x) for x in v)}
    return [{n: int(v) if n in counts and v is not None else v for n, v in row.items()} for row in rows]


def value_table(rows: Sequence[Row], known: Directions = None, terms: Container[str] = ()) -> Markup:
    """First, last and best value of each column."""
    rows = _with_counts(rows, known)
    listed = []
    for name in _columns(rows):
        points = [(row["epoch"], row[name]) for row in rows if row.get(name) is not None]
        direction = direction_of(name, known, terms)
        best = best_index([value for _, value in points], direction)
        listed.append(
            {
                "quantity": name,
                "better": {"max": "higher", "min": "lower", None: None}[direction],
                "first": points[0][1],
                "last": points[-1][1],
                "best": None if best is None else points[best][1],
                "in epoch": None if best is None else points[best][0],
            }
        )
    return table(listed)


def epoch_table(
    rows: Sequence[Row],
    known: Directions = None,
    seconds: Sequence[float | None] | None = None,
    terms: Container[str] = (),
) -> Markup:
    """Every epoch with every value; the best ones are emphasised."""
    columns = ["epoch", *_columns(rows), *([LEARNING_RATE] if any(LEARNING_RATE in row for row in rows) else [])]
    best = {c: best_index([row.get(c) for row in rows], direction_of(c, known, terms)) for c in columns if c != LEARNING_RATE}
    best = {c: index for c, index in best.items() if index is not None}
    rows = _with_counts(rows, known)
    if seconds:
        rows = [{**row, "seconds": took} for row, took in zip(rows, seconds, strict=True)]
        columns.append("seconds")
    return table(rows, columns, best=best)


def headline(rows: Sequence[Row], known: Directions = None) -> dict[str, tuple[Any, str]]:
    """Tiles: the best value of each monitored quantity and its epoch."""
    tiles = {}
    for name in _columns(rows):
        quantity = name.removeprefix(VALIDATION)
        if _is_constant_count(quantity, rows, known) or _is_term_weight(quantity, rows, known):
            continue
        if name.startswith(VALIDATION) or VALIDATION + name not in _columns(rows):
            values = [row.get(name) for row in rows]
            best = best_index(values, direction_of(name, known))
            if best is not None and len(rows) > 1:
                tiles[f"best {name}"] = (values[best], f"epoch {rows[best]['epoch']}")
            else:
                index = max((i for i, v in enumerate(values) if v is not None), default=None)
                if index is not None:
                    tiles[name] = (values[index], f"epoch {rows[index]['epoch']}")
    return tiles


def _columns(rows: Sequence[Row]) -> list[str]:
    return [n for name in quantities(rows) for n in (name, VALIDATION + name) if any(n in row for row in rows)]


def _is_wide(finite: Sequence[float]) -> bool:
    return bool(finite) and min(finite) > 0 and max(finite) > _WIDE_RANGE * min(finite)


def _rate_chart(positions: Sequence[float], rates: Sequence[float | None], marked: Sequence[tuple[float, str]] = ()) -> Markup:
    rates = [math.nan if rate is None else float(rate) for rate in rates]
    finite = [rate for rate in rates if math.isfinite(rate)]
    # A schedule may touch 0 (the end of a cosine): that one point must not force a linear axis on four decades.
    above = [rate for rate in finite if rate > 0]
    wide = _is_wide(above) and bool(np.mean([rate <= 0 for rate in finite]) < 0.1)
    return line_chart(
        {LEARNING_RATE: rates}, x=positions, title="learning rate", x_label="epoch", log_y=wide, sync="epoch", events=marked
    )
