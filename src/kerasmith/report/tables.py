"""HTML tables of rows and of names with values."""

import numbers
from collections.abc import Iterable, Mapping
from typing import Any

from kerasmith.report.numbers import format_number
from kerasmith.report.templating import Markup, render_template

_LONG = 30
"""Rows; a longer table scrolls in a box of its own, its head line in sight."""


def table(
    rows: Iterable[Mapping[str, Any]],
    columns: Iterable[str] | None = None,
    *,
    caption: str | None = None,
    best: Mapping[str, int] | None = None,
) -> Markup:
    """An HTML table.

    Args:
        rows: dicts; numbers are set to the right with four digits, `Markup` goes in unchanged, all other text is
            escaped, a missing value or None is a dash.
        columns: names in order; by default every key in order of appearance.
        caption: plain text under the table's head line.
        best: {column: row index}, cells to emphasise.

    Example:

    >>> "<td class=\\"number\\">0.5000</td>" in table([{"name": "loss", "last": 0.5}])
    True
    """
    rows, best = list(rows), best or {}
    names = list(dict.fromkeys(key for row in rows for key in row)) if columns is None else list(columns)
    numeric = {name for name in names if any(_is_number(row.get(name)) for row in rows)}
    head = [{"text": name, "is_number": name in numeric} for name in names]
    body = [
        [
            {"text": _cell(row.get(name)), "is_number": name in numeric, "is_best": best.get(name) == index}
            for name in names
        ]
        for index, row in enumerate(rows)
    ]  # fmt: skip
    return render_template("table.html", head=head, rows=body, caption=caption, is_long=len(body) > _LONG)


def key_value_table(values: Mapping[str, Any]) -> Markup:
    """An HTML table of names and values, one pair in a row.

    >>> key_value_table({"seed": 7}).count("<tr>")
    1
    """
    return render_template("pairs.html", pairs=[(key, _cell(value)) for key, value in values.items()])


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    return value if isinstance(value, Markup) else format_number(value)
