"""A curve over a logarithmic axis as an SVG picture, for where a page with its chart is too much."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from kerasmith.report.numbers import format_number
from kerasmith.report.palette import LIGHT
from kerasmith.report.templating import Markup, render_template

_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 620, 44, 340


def static_curve(
    series: Mapping[str, Sequence[float]], x: Sequence[float], *, title: str, x_label: str, ring: int | None = None
) -> Markup:
    """The text of an SVG file; the first series is dashed, the last one carries the ring.

    Args:
        series: {name: finite values}.
        x: positions above 0, ascending.
        title, x_label: plain text.
        ring: position in the last series that is marked.

    >>> static_curve({"loss": [2, 1]}, [0.001, 0.1], title="a < b", x_label="rate").count("<polyline")
    1
    """
    every = np.concatenate([np.asarray(values, float) for values in series.values()])
    low, high = float(every.min()), float(every.max())
    high = high if high > low else low + 1
    first, last = math.log10(x[0]), math.log10(x[-1])
    last = last if last > first else first + 1

    def place(rate: float, value: float) -> tuple[float, float]:
        across = _LEFT + (math.log10(rate) - first) / (last - first) * (_RIGHT - _LEFT)
        return round(across, 1), round(_BOTTOM - (value - low) / (high - low) * (_BOTTOM - _TOP), 1)

    lines = []
    for i, (name, values) in enumerate(series.items()):
        points = " ".join(f"{a},{b}" for a, b in (place(*pair) for pair in zip(x, values, strict=True)))
        lines.append({"name": name, "points": points, "colour": LIGHT[i], "dashed": i == 0 and len(series) > 1})
    decades = [10.0**power for power in range(math.ceil(first), math.floor(last) + 1)]
    at = decades or [x[0], x[-1]]
    marks = [low + (high - low) * part / 4 for part in range(5)]
    final = list(series.values())[-1]
    return render_template(
        "curve.svg",
        title=title,
        x_label=x_label,
        lines=lines,
        x_marks=[(place(rate, low)[0], format_number(rate)) for rate in at],
        y_marks=[(place(x[0], value)[1], format_number(value, 3)) for value in marks],
        rings=[] if ring is None else [place(x[ring], final[ring])],
    )
