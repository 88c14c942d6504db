"""Line charts of training curves as inline SVG."""

import itertools
import math

import numpy as np

from kerasmith.report.markup import Markup, element
from kerasmith.report.numbers import format_number
from kerasmith.report.palette import GRID, GROUND, INK, SOFT, series_colour
from kerasmith.report.ticks import linear_ticks, log_ticks

WIDTH, HEIGHT = 560, 290
_RIGHT, _BOTTOM = 18, 46
_SANS = "font-family:var(--sans, system-ui, sans-serif)"
_MOST_BANDS = 240
_MOST_DOTS = 40
VALIDATION = "val_"


def line_chart(series, *, x=None, title="", x_label="", y_label="", log_x=False, log_y=False, marks=None):
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
    visible = {name: np.where(_shown(v, log_y), v, np.nan) for name, v in curves.items()}
    names, colours = list(curves), _colours(curves)
    legend_lines, legend_height = _legend(names, colours)
    top = (34 if title else 12) + legend_height
    parts = [element("title", title)] if title else []
    if title:
        parts.append(_text(title, 4, 20, size=15, weight=600, colour=INK))
    parts += legend_lines
    if not any(np.isfinite(v).any() for v in visible.values()):
        parts.append(_text("no finite values", WIDTH / 2, HEIGHT / 2, anchor="middle"))
        return _svg(parts, title)
    axes = _Axes(positions, visible.values(), log_x, log_y, top)
    parts += axes.draw(x_label, y_label)
    for name in names:
        parts += _curve(axes, positions, visible[name], colours[name], dashed=name.startswith(VALIDATION))
    for name, index in (marks or {}).items():
        if name in visible and np.isfinite(visible[name][index]):
            px, py = axes.point(positions[index], visible[name][index])
            style = f"fill:{GROUND};stroke:{colours[name]};stroke-width:2.25"
            parts.append(element("circle", class_="mark", cx=px, cy=py, r=5, style=style))
    parts += _bands(axes, positions, curves, visible, colours, x_label)
    return _svg(parts, title)


class _Axes:
    """The mapping from values to the drawing, and the frame around it."""

    def __init__(self, positions, curves, log_x, log_y, top):
        values = np.concatenate([v[np.isfinite(v)] for v in curves])
        self.log_x, self.log_y, self.top, self.bottom = log_x, log_y, top, HEIGHT - _BOTTOM
        self.low, self.high = _padded(values.min(), values.max(), log_y)
        self.y_ticks, self.y_labels = (log_ticks if log_y else linear_ticks)(self.low, self.high)
        self.left = 30 + 6.8 * max((len(label) for label in self.y_labels), default=1)
        self.x_low, self.x_high = float(positions[0]), float(positions[-1])
        if self.x_low == self.x_high:
            self.x_low, self.x_high = (self.x_low / 2, self.x_high * 2) if log_x else (self.x_low - 1, self.x_high + 1)
        self.whole = bool(np.all(positions == np.round(positions)))

    def x(self, value):
        low, high = self.x_low, self.x_high
        if self.log_x:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.left + (value - low) / (high - low) * (WIDTH - _RIGHT - self.left)

    def y(self, value):
        low, high = self.low, self.high
        if self.log_y:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.bottom - (value - low) / (high - low) * (self.bottom - self.top)

    def point(self, x, y):
        return self.x(float(x)), self.y(float(y))

    def draw(self, x_label, y_label):
        parts = []
        for value, label in zip(self.y_ticks, self.y_labels, strict=True):
            y = self.y(value)
            line = {"x1": self.left, "x2": float(WIDTH - _RIGHT), "y1": y, "y2": y}
            parts.append(element("line", **line, style=f"stroke:{GRID};stroke-width:1"))
            parts.append(_text(label, self.left - 8, y + 4, anchor="end"))
        if self.log_x:
            ticks, labels = log_ticks(self.x_low, self.x_high)
        else:
            ticks, labels = linear_ticks(self.x_low, self.x_high, 8, whole=self.whole)
        for value, label in zip(ticks, labels, strict=True):
            x = self.x(value)
            line = {"x1": x, "x2": x, "y1": self.bottom, "y2": self.bottom + 4}
            parts.append(element("line", **line, style=f"stroke:{SOFT};stroke-width:1"))
            parts.append(_text(label, x, self.bottom + 18, anchor="middle"))
        line = {"x1": self.left, "x2": float(WIDTH - _RIGHT), "y1": self.bottom, "y2": self.bottom}
        parts.append(element("line", **line, style=f"stroke:{SOFT};stroke-width:1"))
        if x_label:
            parts.append(_text(x_label, (self.left + WIDTH - _RIGHT) / 2, HEIGHT - 8, anchor="middle"))
        if y_label:
            middle = (self.top + self.bottom) / 2
            parts.append(_text(y_label, 12, middle, anchor="middle", transform=f"rotate(-90 12 {middle:.1f})"))
        return parts


def _numbers(values):
    return np.array([math.nan if v is None else float(v) for v in values], dtype=float)


def _positions(curves, x, log_x):
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


def _shown(values, log_y):
    return np.isfinite(values) & (values > 0) if log_y else np.isfinite(values)


def _padded(low, high, log_y):
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


def _colours(curves):
    colours, count = {}, 0
    for name in curves:
        twin = name.removeprefix(VALIDATION)
        if twin in colours:
            colours[name] = colours[twin]
        elif VALIDATION + twin in colours:
            colours[name] = colours[VALIDATION + twin]
        else:
            colours[name] = series_colour(count)
            count += 1
    return colours


def _legend(names, colours):
    if len(names) < 2:
        return [], 0
    parts, x, y = [], 4.0, 42.0
    for name in names:
        width = 34 + 6.6 * len(name) + 18
        if x > 4 and x + width > WIDTH - 4:
            x, y = 4.0, y + 18
        dash = "5 3.5" if name.startswith(VALIDATION) else None
        style = f"stroke:{colours[name]};stroke-width:2.25"
        parts.append(element("line", x1=x, x2=x + 26, y1=y - 4, y2=y - 4, style=style, stroke_dasharray=dash))
        parts.append(_text(name, x + 32, y, colour=INK))
        x += width
    return parts, y - 42 + 24


def _curve(axes, positions, values, colour, dashed):
    finite = np.isfinite(values)
    path, pen_down, lonely = [], False, []
    for i in range(len(values)):
        if not finite[i]:
            pen_down = False
            continue
        px, py = axes.point(positions[i], values[i])
        path.append(f"{'L' if pen_down else 'M'}{px:.1f} {py:.1f}")
        before, after = i > 0 and finite[i - 1], i + 1 < len(values) and finite[i + 1]
        if not before and not after:
            lonely.append((px, py))
        pen_down = True
    style = f"fill:none;stroke:{colour};stroke-width:2.25;stroke-linejoin:round;stroke-linecap:{'butt' if dashed else 'round'}"
    parts = [element("path", d=" ".join(path), style=style, stroke_dasharray="6 4" if dashed else None)]
    parts += [element("circle", cx=px, cy=py, r=3.5, style=f"fill:{colour}") for px, py in lonely]
    return parts


def _bands(axes, positions, curves, visible, colours, x_label):
    """Invisible columns over the plot: a guide line, dots and the values of every curve while the pointer is there."""
    kept = np.unique(np.linspace(0, len(positions) - 1, min(len(positions), _MOST_BANDS)).round().astype(int))
    centres = [axes.x(float(positions[i])) for i in kept]
    edges = [axes.left - 6, *((a + b) / 2 for a, b in itertools.pairwise(centres)), WIDTH - _RIGHT + 6.0]
    parts = []
    for n, i in enumerate(kept):
        where = format_number(int(positions[i]) if axes.whole else float(positions[i]))
        lines = [f"{x_label} {where}".strip(), *(f"{name}  {format_number(float(v[i]))}" for name, v in curves.items())]
        inside = [
            element("title", "\n".join(lines)),
            element("rect", x=edges[n], y=float(axes.top), width=edges[n + 1] - edges[n],
                    height=float(axes.bottom - axes.top), style="fill:transparent"),
            element("line", class_="guide", x1=centres[n], x2=centres[n], y1=float(axes.top), y2=float(axes.bottom),
                    style=f"stroke:{SOFT};stroke-width:1;opacity:0"),
        ]  # fmt: skip
        for name, values in visible.items():
            if np.isfinite(values[i]):
                px, py = axes.point(positions[i], values[i])
                inside.append(element("circle", class_="guide", cx=px, cy=py, r=3.5, style=f"fill:{colours[name]};opacity:0"))
        parts.append(element("g", *inside, class_="band"))
    return parts


def _text(text, x, y, *, anchor=None, size=12, weight=None, colour=SOFT, transform=None):
    style = f"fill:{colour};font-size:{size}px;{_SANS}" + (f";font-weight:{weight}" if weight else "")
    return element("text", text, x=float(x), y=float(y), text_anchor=anchor, transform=transform, style=style)


def _svg(parts, title):
    return element(
        "svg", *parts, xmlns=Markup("http://www.w3.org/2000/svg"), class_="chart", viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img", aria_label=title or "line chart",
    )  # fmt: skip
