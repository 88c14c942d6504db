"""A reliability diagram: how often a model was right, beside how sure it was."""

import itertools

import numpy as np
from numpy.typing import ArrayLike

from kerasmith.report.curves import plot
from kerasmith.report.numbers import format_number
from kerasmith.report.palette import LIGHT
from kerasmith.report.templating import Markup


def reliability_chart(
    edges: ArrayLike, confidence: ArrayLike, accuracy: ArrayLike, cases: ArrayLike, *, title: str = "Reliability"
) -> Markup:
    """A bar of the accuracy in each bin, a dot at its mean confidence, a thin bar of its share of the cases.

    Args:
        edges: (bins + 1,) ascending bounds of the bins in [0, 1].
        confidence, accuracy: (bins,) means in [0, 1], NaN in unused bins.
        cases: (bins,) numbers >= 0.
        title: plain text.

    Returns:
        A string, one `<figure>` element for a page of `report.render`.

    Raises:
        ValueError: when the lengths do not fit or the bounds do not ascend.

    Example:

    >>> chart = reliability_chart([0, 0.5, 1], [0.4, 0.9], [0.5, 0.7], [10, 30])
    >>> "40 cases: right 0.6500, mean confidence 0.7750" in chart
    True
    """
    edges, confidence, accuracy, cases = _checked(edges, confidence, accuracy, cases)
    used = (cases > 0) & np.isfinite(confidence) & np.isfinite(accuracy)
    total, centres = float(cases.sum()), (edges[1:] + edges[:-1]) / 2
    bars = [[float(low), float(high)] for low, high in itertools.pairwise(edges)]
    thin = [[float(c - 0.15 * (h - low)), float(c + 0.15 * (h - low))] for c, (low, h) in zip(centres, bars, strict=True)]
    series = {
        "how often right": {"values": np.where(used, accuracy, np.nan), "bars": bars},
        "mean confidence": {"values": np.where(used, confidence, np.nan), "dots": True, "line": False},
        "share of cases": {"values": cases / total if total else cases * np.nan, "bars": thin, "colour": 6},
    }
    summary = "no cases"
    if used.any():
        right, sure = (float(np.average(v[used], weights=cases[used])) for v in (accuracy, confidence))
        summary = f"{format_number(_whole(total))} cases: right {format_number(right)}, mean confidence {format_number(sure)}"
    return plot(
        series, centres, title=title, x_label="confidence", summary=summary, x_bounds=[0, 1], bounds=[0, 1], diagonal=True
    )  # fmt: skip


def _whole(value: float) -> float | int:
    return int(value) if value == round(value) else value


def reliability_image(
    edges: ArrayLike, confidence: ArrayLike, accuracy: ArrayLike, cases: ArrayLike, *, side: int = 300
) -> np.ndarray:
    """The same as pixels, for where no page is shown: accuracy against confidence, the diagonal, below the counts.

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
