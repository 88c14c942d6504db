"""A reliability diagram as inline SVG: how often a model was right, beside how sure it was."""

import numpy as np

from kerasmith.report.markup import Markup, element
from kerasmith.report.numbers import format_number
from kerasmith.report.palette import GRID, INK, LIGHT, SOFT, series_colour

WIDTH, HEIGHT = 360, 420
_LEFT, _RIGHT, _TOP, _SIDE = 52, 16, 48, 292
_STRIP = 34  # height of the strip of counts
_SANS = "font-family:var(--sans, system-ui, sans-serif)"


def reliability_chart(edges, confidence, accuracy, cases, *, title="Reliability"):
    """A bar of the accuracy in each bin, its gap to the mean confidence, and below how many cases each bin holds.

    Args:
        edges: (bins + 1,) ascending bounds of the bins in [0, 1].
        confidence, accuracy: (bins,) means in [0, 1], NaN in unused bins.
        cases: (bins,) numbers >= 0.
        title: plain text.

    Returns:
        A string, one `<svg>` element. Colours are CSS variables with fallbacks, so it follows a page's dark mode.

    Raises:
        ValueError: when the lengths do not fit or the bounds do not ascend.

    Example:

    >>> chart = reliability_chart([0, 0.5, 1], [0.4, 0.9], [0.5, 0.7], [10, 30])
    >>> chart.startswith("<svg") and chart.count('class="bin"') == 2
    True
    """
    edges, confidence, accuracy, cases = _checked(edges, confidence, accuracy, cases)
    parts = [element("title", title), _text(title, 4, 20, size=15, weight=600, colour=INK)]
    parts += _frame()
    most = max(float(np.max(cases)), 1e-30)
    for b in range(len(cases)):
        parts.append(_bin(edges[b], edges[b + 1], confidence[b], accuracy[b], cases[b], most))
    if not np.any(cases > 0):
        parts.append(_text("no cases", _x(0.5), _y(0.5), anchor="middle"))
    return element(
        "svg", *parts, xmlns=Markup("http://www.w3.org/2000/svg"), class_="chart", viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img", aria_label=title or "reliability diagram", style=f"max-width:{WIDTH + 80}px",
    )  # fmt: skip


def reliability_image(edges, confidence, accuracy, cases, *, side=300):
    """The same as pixels, for where no SVG is shown: accuracy against confidence, the diagonal, below the counts.

    Args:
        edges, confidence, accuracy, cases: as of `reliability_chart`.
        side: of the square diagram.

    Returns:
        (side + side / 8, side, 3) uint8.

    >>> reliability_image([0, 0.5, 1], [0.4, 0.9], [0.5, 0.7], [10, 30], side=80).shape
    (90, 80, 3)
    """
    edges, confidence, accuracy, cases = _checked(edges, confidence, accuracy, cases)
    strip = side // 8
    picture = np.full((side + strip, side, 3), 255, np.uint8)
    for tick in range(1, 5):
        picture[side - 1 - tick * side // 5] = (225, 228, 232)
    most = max(float(np.max(cases)), 1e-30)
    for b in np.flatnonzero(cases > 0):
        columns = slice(round(edges[b] * side) + 1, max(round(edges[b + 1] * side) - 1, round(edges[b] * side) + 2))
        picture[side + 3 : side + 3 + round((strip - 3) * cases[b] / most), columns] = (160, 166, 173)
        if np.isfinite(confidence[b]) and np.isfinite(accuracy[b]):
            right, sure = (side - round(float(v) * side) for v in (accuracy[b], confidence[b]))
            picture[right:side, columns] = _pixels(0)
            gap = picture[min(right, sure) : max(right, sure), columns]
            gap[:] = (0.5 * gap + 0.5 * np.array(_pixels(1))).round()
            picture[max(sure - 1, 0) : sure + 1, columns] = _pixels(1)
    picture[side : side + 1] = (95, 103, 112)
    place = np.arange(side)
    picture[side - 1 - place, place] = (95, 103, 112)
    return picture


def _pixels(index):
    return tuple(int(LIGHT[index][i : i + 2], 16) for i in (1, 3, 5))


def _checked(edges, confidence, accuracy, cases):
    edges, confidence, accuracy, cases = (np.asarray(x, float) for x in (edges, confidence, accuracy, cases))
    if not (len(edges) - 1 == len(confidence) == len(accuracy) == len(cases) > 0):
        raise ValueError(
            "A reliability diagram needs one confidence, accuracy and count for each bin and one edge more. Received lengths: "
            f"edges={len(edges)}, confidence={len(confidence)}, accuracy={len(accuracy)}, cases={len(cases)}"
        )
    if np.any(np.diff(edges) <= 0) or edges[0] < 0 or edges[-1] > 1:
        raise ValueError(f"`edges` must ascend within [0, 1]. Received: edges={edges.tolist()[:12]}")
    return edges, confidence, accuracy, cases


def _x(value):
    return _LEFT + float(value) * _SIDE


def _y(value):
    return _TOP + (1.0 - float(value)) * _SIDE


def _frame():
    """Grid, labels and the diagonal on which confidence and accuracy agree."""
    parts = []
    for tick in np.linspace(0, 1, 6):
        label = f"{tick:.1f}"
        grid = f"stroke:{GRID};stroke-width:1"
        parts.append(element("line", x1=_x(0), x2=_x(1), y1=_y(tick), y2=_y(tick), style=grid))
        parts.append(_text(label, _LEFT - 8, _y(tick) + 4, anchor="end"))
        parts.append(_text(label, _x(tick), _y(0) + 16 + _STRIP, anchor="middle"))
    style = f"stroke:{SOFT};stroke-width:1.5"
    parts.append(element("line", x1=_x(0), y1=_y(0), x2=_x(1), y2=_y(1), style=style, stroke_dasharray="5 4"))
    middle = (_y(0) + _y(1)) / 2
    parts.append(_text("how often right", 14, middle, anchor="middle", transform=f"rotate(-90 14 {middle:.1f})"))
    parts.append(_text("confidence", _x(0.5), HEIGHT - 8, anchor="middle"))
    return parts


def _bin(low, high, confidence, accuracy, cases, most):
    """The bar of one bin, the gap to its confidence, its share of cases, and its numbers for the pointer."""
    x, width = _x(low) + 1, max((high - low) * _SIDE - 2, 0.5)
    height = _STRIP * 0.8 * float(cases) / most
    note = f"{low:.3g} to {high:.3g}: {format_number(float(cases))} cases"
    inside = [element("rect", x=x, y=_y(0) + 2, width=width, height=height, style=f"fill:{SOFT};opacity:0.55")]
    if cases > 0 and np.isfinite(confidence) and np.isfinite(accuracy):
        note += f", confidence {format_number(float(confidence))}, right {format_number(float(accuracy))}"
        top, bottom = _y(max(confidence, accuracy)), _y(min(confidence, accuracy))
        bar = f"fill:{series_colour(0)};opacity:0.85"
        gap = f"fill:{series_colour(1)};opacity:0.35"
        inside.append(element("rect", x=x, y=_y(accuracy), width=width, height=_y(0) - _y(accuracy), style=bar))
        inside.append(element("rect", x=x, y=top, width=width, height=bottom - top, style=gap))
        mark = f"stroke:{series_colour(1)};stroke-width:2"
        inside.append(element("line", x1=x, x2=x + width, y1=_y(confidence), y2=_y(confidence), style=mark))
    return element("g", element("title", note), *inside, class_="bin")


def _text(text, x, y, *, anchor=None, size=12, weight=None, colour=SOFT, transform=None):
    style = f"fill:{colour};font-size:{size}px;{_SANS}" + (f";font-weight:{weight}" if weight else "")
    return element("text", text, x=float(x), y=float(y), text_anchor=anchor, transform=transform, style=style)
