"""A reliability diagram as inline SVG: how often a model was right, beside how sure it was."""

import numpy as np
from numpy.typing import ArrayLike

from kerasmith.report.numbers import format_number
from kerasmith.report.palette import LIGHT
from kerasmith.report.templating import Markup, render_template

WIDTH, HEIGHT = 360, 420
_LEFT, _TOP, _SIDE = 52, 48, 292
_STRIP = 34  # height of the strip of counts


def reliability_chart(
    edges: ArrayLike, confidence: ArrayLike, accuracy: ArrayLike, cases: ArrayLike, *, title: str = "Reliability"
) -> Markup:
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
    most = max(float(np.max(cases)), 1e-30)
    return render_template(
        "reliability.svg",
        width=WIDTH,
        height=HEIGHT,
        left=_x(0),
        right=_x(1),
        top=_y(1),
        bottom=_y(0),
        strip=_STRIP,
        title=title,
        ticks=[(_x(tick), _y(tick), f"{tick:.1f}") for tick in np.linspace(0, 1, 6)],
        bins=[_bin(*each, most) for each in zip(edges[:-1], edges[1:], confidence, accuracy, cases)],
        is_empty=not np.any(cases > 0),
    )


def reliability_image(
    edges: ArrayLike, confidence: ArrayLike, accuracy: ArrayLike, cases: ArrayLike, *, side: int = 300
) -> np.ndarray:
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


def _pixels(index: int) -> tuple[int, int, int]:
    text = LIGHT[index]
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _checked(edges: ArrayLike, confidence: ArrayLike, accuracy: ArrayLike, cases: ArrayLike) -> tuple[np.ndarray, ...]:
    edges, confidence, accuracy, cases = (np.asarray(x, float) for x in (edges, confidence, accuracy, cases))
    if not (len(edges) - 1 == len(confidence) == len(accuracy) == len(cases) > 0):
        raise ValueError(
            "A reliability diagram needs one confidence, accuracy and count for each bin and one edge more. Received lengths: "
            f"edges={len(edges)}, confidence={len(confidence)}, accuracy={len(accuracy)}, cases={len(cases)}"
        )
    if np.any(np.diff(edges) <= 0) or edges[0] < 0 or edges[-1] > 1:
        raise ValueError(f"`edges` must ascend within [0, 1]. Received: edges={edges.tolist()[:12]}")
    return edges, confidence, accuracy, cases


def _x(value: float) -> float:
    return _LEFT + float(value) * _SIDE


def _y(value: float) -> float:
    return _TOP + (1.0 - float(value)) * _SIDE


def _bin(low: float, high: float, confidence: float, accuracy: float, cases: float, most: float) -> dict:
    """The bar of one bin, the gap to its confidence, its share of cases, and its numbers for the pointer."""
    note, bar = f"{low:.3g} to {high:.3g}: {format_number(float(cases))} cases", None
    if cases > 0 and np.isfinite(confidence) and np.isfinite(accuracy):
        note += f", confidence {format_number(float(confidence))}, right {format_number(float(accuracy))}"
        bar = {
            "accuracy_y": _y(accuracy),
            "confidence_y": _y(confidence),
            "gap_top": _y(max(confidence, accuracy)),
            "gap_bottom": _y(min(confidence, accuracy)),
        }
    width = max((high - low) * _SIDE - 2, 0.5)
    return {"x": _x(low) + 1, "width": width, "cases_height": _STRIP * 0.8 * float(cases) / most, "note": note, "bar": bar}
