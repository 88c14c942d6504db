"""Gradients, updates and dead units of the layers of a network over the steps of a training."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from kerasmith.report.curves import line_chart
from kerasmith.report.page import Section, render
from kerasmith.report.templating import Markup, render_template

QUANTITIES = {
    "gradient": ("Gradient norm", True),
    "update": ("Update / weight", True),
    "dead": ("Share of units without gradient", False),
}
_MOST_LAYERS = 8


def gradient_chart(rows: Iterable[Mapping[str, Any]], quantity: str = "gradient", most: int = _MOST_LAYERS) -> Markup:
    """One line for each layer over the sampled steps.

    Of more layers than fit, those with the largest and the smallest median are drawn, and others evenly between the first
    and the last.

    Args:
        rows: one dict for each sampled step: {"step": 0, "layers": {name: {"gradient": 0.1, "update": 1e-3, "dead": 0.0}}}.
        quantity: "gradient", "update" or "dead".
        most: how many layers at most.

    Returns:
        A string, one `<figure>` element for a page of `report.render`.

    Raises:
        ValueError: for an unknown quantity.

    Example:

    >>> rows = [{"step": step, "layers": {"dense": {"gradient": 0.5 / (1 + step)}}} for step in (0, 100)]
    >>> gradient_chart(rows).startswith("<figure")
    True
    """
    if quantity not in QUANTITIES:
        raise ValueError(f"`quantity` must be one of {', '.join(map(repr, QUANTITIES))}. Received: quantity={quantity!r}")
    title, log_y = QUANTITIES[quantity]
    rows = list({row["step"]: row for row in sorted(rows, key=lambda row: row["step"])}.values())
    names = list(dict.fromkeys(name for row in rows for name in row["layers"]))
    series = {name: [row["layers"].get(name, {}).get(quantity) for row in rows] for name in names}
    series = {name: series[name] for name in chosen(series, most)}
    return line_chart(series, x=[row["step"] for row in rows], title=title, x_label="step", log_y=log_y, sync="step")


def gradient_page(rows: Sequence[Mapping[str, Any]], sentences: Iterable[str] = ()) -> Markup:
    """All three charts as a page of their own.

    Args:
        rows: see `gradient_chart`.
        sentences: plain texts of what stands out.
    """
    return render("Gradient health", [Section("Gradients", gradient_section(rows, sentences))])


def gradient_section(rows: Sequence[Mapping[str, Any]], sentences: Iterable[str] = ()) -> Markup:
    """The three charts side by side with what stands out, as a part of a page.

    Args:
        rows: see `gradient_chart`.
        sentences: plain texts.
    """
    charts = [gradient_chart(rows, quantity) for quantity in QUANTITIES]
    return render_template("charts.html", charts=charts, notes=list(sentences), hint=None)


def chosen(series: Mapping[str, Sequence[float | None]], most: int) -> list[str]:
    """The names of the curves to draw, in their order.

    >>> chosen({"a": [1.0], "b": [9.0], "c": [2.0], "d": [0.1], "e": [3.0]}, 3)
    ['a', 'b', 'd']
    """
    names = list(series)
    if len(names) <= most:
        return names
    middles = {}
    for name, values in series.items():
        finite = [v for v in values if v is not None and math.isfinite(v)]
        middles[name] = float(np.median(finite)) if finite else math.inf
    # Extremes first, then evenly spread ones, for as long as there is room.
    wanted = [max(names, key=middles.get), min(names, key=middles.get)]
    wanted += [names[i] for i in np.linspace(0, len(names) - 1, most).round().astype(int)]
    names_to_draw = list(dict.fromkeys(wanted))[:most]
    return [name for name in names if name in names_to_draw]
