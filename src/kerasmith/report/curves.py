"""Line charts of training curves: the numbers as data, which uPlot draws in the reader's browser."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from kerasmith.report.numbers import format_number
from kerasmith.report.plot_data import script_json
from kerasmith.report.templating import Markup, render_template

VALIDATION = "val_"
_MOST_DOTS = 30
"""Up to so many points each is a dot on its curve."""
_MOST_IN_SUMMARY = 6


def line_chart(
    series: Mapping[str, Sequence[float | None]],
    *,
    x: Sequence[float] | None = None,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    log_x: bool = False,
    log_y: bool = False,
    marks: Mapping[str, int] | None = None,
    events: Iterable[tuple[float, str]] = (),
    sync: str = "",
    legend: str = "",
    digits: int | None = None,
) -> Markup:
    """A line chart of one or several curves, as a `<figure>` to put into a page of `report.render`.

    In the page it can be zoomed and moved, shows the values under the pointer or the arrow keys, hides curves by its legend,
    switches to a logarithmic axis, and has its numbers as a table. Without scripts it says first, last and extreme values.
    A curve named `val_<name>` is dashed and has the colour of `<name>`. Values that are not finite (and values <= 0 on a
    logarithmic axis) are gaps; a value between two gaps is a dot.

    Args:
        series: {name: values}; the values are numbers or None, one for each position.
        x: the positions, ascending; 1, 2, 3, ... by default.
        title, x_label, y_label: plain text.
        log_x, log_y: a logarithmic horizontal or vertical axis.
        marks: {name: index}, points to ring, such as the best epoch.
        events: (position, text) of what happened there; a line across the chart (since 0.2).
        sync: charts of a page with the same word show the same positions and the same place under the pointer (since 0.2).
        legend: charts of a page with the same word share the legend in `<div data-legend="word">` (since 0.2).
        digits: significant digits of the values in the page; all of them by default (since 0.2).

    Returns:
        A string, one `<figure>` element, which loads nothing. Colours follow the page's dark mode.

    Raises:
        ValueError: when the lengths differ, or `x` does not ascend or is not above 0 on a logarithmic axis.

    Example:

    >>> chart = line_chart({"loss": [0.9, 0.5, 0.3], "val_loss": [0.9, 0.6, 0.5]}, title="Loss", x_label="epoch")
    >>> chart.startswith("<figure") and "loss 0.9000 to 0.3000" in chart
    True
    """
    curves = {str(name): _numbers(values) for name, values in series.items()}
    positions = _positions(curves, x, log_x)
    names, colours = list(curves), colour_indices(curves)
    described = {
        name: {
            "values": values,
            "colour": colours[name],
            "dashed": name.startswith(VALIDATION),
            "dots": len(values) <= _MOST_DOTS,
        }
        for name, values in curves.items()
    }
    return plot(
        described,
        positions,
        title=title,
        summary=_summary(curves),
        sync=sync,
        digits=digits,
        x_label=x_label,
        y_label=y_label,
        log_x=log_x,
        log_y=log_y,
        legend=legend,
        marks=[[names.index(n), int(i)] for n, i in (marks or {}).items() if n in curves],
        events=[{"at": float(at), "text": str(text)} for at, text in events],
    )


def plot(
    series: Mapping[str, Mapping[str, Any]],
    x: np.ndarray,
    *,
    title: str,
    summary: str,
    sync: str = "",
    digits: int | None = None,
    **data: Any,
) -> Markup:
    """A `<figure>` with what `browser/plots.js` draws.

    Args:
        series: {name: {"values": array, and how it is drawn}}.
        x: the positions.
        title, summary: plain texts, the heading and what stands there without a chart.
        sync, digits: see `line_chart`.
        **data: what the whole chart is drawn with.
    """
    colours = colour_indices(series)
    spec = {
        "title": title, "x_label": "", "y_label": "", "log_x": False, "log_y": False, "legend": "", "marks": [], "events": [],
        **data,
        "x": _plain(x, None),
        "series": [
            {"name": name, "colour": colours[name], **how, "values": _plain(np.asarray(how["values"], float), digits)}
            for name, how in series.items()
        ],
    }  # fmt: skip
    return render_template("plot.html", title=title, summary=summary, data=script_json(spec), sync=sync)


def colour_indices(names: Iterable[str]) -> dict[str, int]:
    """{name: number of its colour}; a validation has that of its training."""
    colours: dict[str, int] = {}
    for name in names:
        quantity = name.removeprefix(VALIDATION)
        known = colours.get(quantity, colours.get(VALIDATION + quantity))
        colours[name] = len(set(colours.values())) if known is None else known
    return colours


def _numbers(values: Sequence[float | None]) -> np.ndarray:
    return np.array([math.nan if v is None else float(v) for v in values], dtype=float)


def _positions(curves: Mapping[str, np.ndarray], x: Sequence[float] | None, log_x: bool) -> np.ndarray:
    lengths = {name: len(values) for name, values in curves.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"Every curve needs one value for each position (None for a gap). Received lengths: {lengths}")
    count = next(iter(lengths.values()), 0)
    positions = np.arange(1, count + 1, dtype=float) if x is None else _numbers(x)
    if len(positions) != count:
        raise ValueError(f"`x` needs one position for each value. Received: {len(positions)} positions, {count} values")
    if not np.isfinite(positions).all() or np.any(np.diff(positions) <= 0):
        raise ValueError(f"`x` must be finite and ascending. Received: x={positions.tolist()[:12]}")
    if log_x and count and positions[0] <= 0:
        raise ValueError(f"`x` must be above 0 on a logarithmic axis. Received: x={positions.tolist()[:12]}")
    return positions


def _plain(values: np.ndarray, digits: int | None) -> list[Any]:
    """Numbers as JSON has them: whole ones without a point, those that are not finite by their names."""
    plain: list[Any] = []
    for value in values.tolist():
        if math.isfinite(value):
            value = value if digits is None else float(f"{value:.{digits}g}")
            plain.append(int(value) if value == round(value) and abs(value) < 1e15 else value)
        else:
            plain.append(None if math.isnan(value) else format_number(value))
    return plain


def _counts(values: np.ndarray) -> bool:
    """Whether all are whole numbers, and not only zeros and ones, which scores may be."""
    return bool(np.all(values == np.round(values)) and np.abs(values).max() > 1)


def _summary(curves: Mapping[str, np.ndarray]) -> str:
    """First, last and extreme values in words: what somebody reads who sees no chart."""
    summary = []
    for name, values in curves.items():
        finite = values[np.isfinite(values)]
        if not finite.size:
            continue
        kind = int if _counts(finite) else float
        first, last, low, high = (format_number(kind(v)) for v in (finite[0], finite[-1], finite.min(), finite.max()))
        summary.append(f"{name} {first}" if finite.size == 1 else f"{name} {first} to {last} (lowest {low}, highest {high})")
    more = [f"and {len(summary) - _MOST_IN_SUMMARY} more"] if len(summary) > _MOST_IN_SUMMARY else []
    return "; ".join([*summary[:_MOST_IN_SUMMARY], *more]) or "no finite values"
