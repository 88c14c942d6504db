"""Line charts of training curves as inline SVG."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from kerasmith.report.numbers import format_number
from kerasmith.report.palette import series_colour
from kerasmith.report.templating import Markup, render_template
from kerasmith.report.ticks import linear_ticks, log_ticks

WIDTH, HEIGHT = 560, 290
_RIGHT, _BOTTOM = 18, 46
_MOST_BANDS = 240
VALIDATION = "val_"


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
) -> Markup:
    """A line chart of one or several curves, as an SVG element to put into a page.

    A curve named `val_<name>` is dashed and has the colour of `<name>`. Values that are not finite (and values <= 0 on
    a logarithmic axis) are gaps; a value between two gaps is a dot. Hovering shows the values at that position.

    Args:
        series: {name: values}; the values are numbers or None, one for each position.
        x: the positions, ascending; 1, 2, 3, ... by default.
        title, x_label, y_label: plain text.
        log_x, log_y: a logarithmic horizontal or vertical axis.
        marks: {name: index}, points to ring, such as the best epoch.

    Returns:
        A string, one `<svg>` element. Colours are CSS variables with fallbacks, so it follows a page's dark mode.

    Raises:
        ValueError: when the lengths differ, or `x` does not ascend or is not above 0 on a logarithmic axis.

    Example:

    >>> chart = line_chart({"loss": [0.9, 0.5, 0.3], "val_loss": [0.9, 0.6, 0.5]}, title="Loss", x_label="epoch")
    >>> chart.startswith("<svg") and chart.count("<path") == 2
    True
    """
    curves = {str(name): _numbers(values) for name, values in series.items()}
    positions = _positions(curves, x, log_x)
    visible = {name: np.where(_is_drawn(v, log_y), v, np.nan) for name, v in curves.items()}
    colours = _colours(curves)
    legend, legend_height = _legend(list(curves), colours)
    drawing = {"axes": None, "curves": [], "marks": [], "bands": []}
    if any(np.isfinite(v).any() for v in visible.values()):
        axes = _Axes(positions, visible.values(), log_x, log_y, top=(34 if title else 12) + legend_height)
        ringed = {n: i for n, i in (marks or {}).items() if n in visible and np.isfinite(visible[n][i])}
        drawing = {
            "axes": axes,
            "curves": [_curve(axes, positions, visible[name], name, colours[name]) for name in curves],
            "marks": [(*axes.point(positions[i], visible[n][i]), colours[n]) for n, i in ringed.items()],
            "bands": _bands(axes, positions, curves, visible, colours, x_label),
        }
    return render_template(
        "line_chart.svg", width=WIDTH, height=HEIGHT, title=title, x_label=x_label, y_label=y_label, legend=legend, **drawing
    )


class _Axes:
    """The mapping from values to the drawing, and the ticks around it."""

    def __init__(self, positions: np.ndarray, curves: Iterable[np.ndarray], log_x: bool, log_y: bool, top: float):
        values = np.concatenate([v[np.isfinite(v)] for v in curves])
        self.log_x, self.log_y = log_x, log_y
        self.top, self.bottom, self.right = float(top), float(HEIGHT - _BOTTOM), float(WIDTH - _RIGHT)
        self.low, self.high = _padded(values.min(), values.max(), log_y)
        ticks, labels = (log_ticks if log_y else linear_ticks)(self.low, self.high)
        self.left = 30 + 6.8 * max((len(label) for label in labels), default=1)
        self.y_ticks = [(self.y(value), label) for value, label in zip(ticks, labels, strict=True)]
        self.x_low, self.x_high = float(positions[0]), float(positions[-1])
        if self.x_low == self.x_high:
            self.x_low, self.x_high = (self.x_low / 2, self.x_high * 2) if log_x else (self.x_low - 1, self.x_high + 1)
        self.is_whole = bool(np.all(positions == np.round(positions)))
        if log_x:
            ticks, labels = log_ticks(self.x_low, self.x_high)
        else:
            ticks, labels = linear_ticks(self.x_low, self.x_high, 8, whole=self.is_whole)
        self.x_ticks = [(self.x(value), label) for value, label in zip(ticks, labels, strict=True)]

    def x(self, value: float) -> float:
        low, high = self.x_low, self.x_high
        if self.log_x:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.left + (value - low) / (high - low) * (self.right - self.left)

    def y(self, value: float) -> float:
        low, high = self.low, self.high
        if self.log_y:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.bottom - (value - low) / (high - low) * (self.bottom - self.top)

    def point(self, x: float, y: float) -> tuple[float, float]:
        return self.x(float(x)), self.y(float(y))


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


def _is_drawn(values: np.ndarray, log_y: bool) -> np.ndarray:
    return np.isfinite(values) & (values > 0) if log_y else np.isfinite(values)


def _padded(low: float, high: float, log_y: bool) -> tuple[float, float]:
    low, high = float(low), float(high)
    if log_y:
        # In powers of ten: the factor between the ends may be more than a float holds.
        first, last = math.log10(low), math.log10(high)
        pad = 0.05 * (last - first) if last - first > 1e-9 else 0.2
        return 10.0 ** max(first - pad, -307.0), 10.0 ** min(last + pad, 308.0)
    pad = (high - low) * 0.06 if high - low > 1e-9 * max(abs(low), abs(high)) else max(abs(low) * 0.2, 1e-9)
    if low == high == 0:
        pad = 1.0
    # Losses and scores do not go below 0: do not open room there for them.
    return (max(low - pad, 0.0) if low >= 0 else low - pad), high + pad


def _colours(curves: Iterable[str]) -> dict[str, str]:
    colours, count = {}, 0
    for name in curves:
        quantity = name.removeprefix(VALIDATION)
        if quantity in colours:
            colours[name] = colours[quantity]
        elif VALIDATION + quantity in colours:
            colours[name] = colours[VALIDATION + quantity]
        else:
            colours[name] = series_colour(count)
            count += 1
    return colours


def _legend(names: Sequence[str], colours: Mapping[str, str]) -> tuple[list[dict], float]:
    """The entries of the legend, in as many lines as they need, and its height; none for a single curve."""
    if len(names) < 2:
        return [], 0
    entries, x, y = [], 4.0, 42.0
    for name in names:
        width = 34 + 6.6 * len(name) + 18
        if x > 4 and x + width > WIDTH - 4:
            x, y = 4.0, y + 18
        entries.append({"name": name, "x": x, "y": y, "colour": colours[name], "dashed": name.startswith(VALIDATION)})
        x += width
    return entries, y - 42 + 24


def _curve(axes: _Axes, positions: np.ndarray, values: np.ndarray, name: str, colour: str) -> dict:
    """A path with a gap where a value is not finite, and a dot for a value between two gaps."""
    finite = np.isfinite(values)
    path, dots = [], []
    for i in np.flatnonzero(finite):
        px, py = axes.point(positions[i], values[i])
        is_joined, goes_on = i > 0 and finite[i - 1], i + 1 < len(values) and finite[i + 1]
        path.append(f"{'L' if is_joined else 'M'}{px:.1f} {py:.1f}")
        if not is_joined and not goes_on:
            dots.append((px, py))
    return {"path": " ".join(path), "dots": dots, "colour": colour, "dashed": name.startswith(VALIDATION)}


def _bands(
    axes: _Axes,
    positions: np.ndarray,
    curves: Mapping[str, np.ndarray],
    visible: Mapping[str, np.ndarray],
    colours: Mapping[str, str],
    x_label: str,
) -> list[dict]:
    """Columns over the plot that show the values of every curve while the pointer is there."""
    indices = np.unique(np.linspace(0, len(positions) - 1, min(len(positions), _MOST_BANDS)).round().astype(int))
    centres = [axes.x(float(positions[i])) for i in indices]
    edges = [axes.left - 6, *((a + b) / 2 for a, b in itertools.pairwise(centres)), axes.right + 6]
    bands = []
    for n, i in enumerate(indices):
        position = format_number(int(positions[i]) if axes.is_whole else float(positions[i]))
        values = (f"{name}  {format_number(float(v[i]))}" for name, v in curves.items())
        dots = [(*axes.point(positions[i], v[i]), colours[name]) for name, v in visible.items() if np.isfinite(v[i])]
        note = "\n".join([f"{x_label} {position}".strip(), *values])
        bands.append({"left": edges[n], "right": edges[n + 1], "centre": centres[n], "note": note, "dots": dots})
    return bands
