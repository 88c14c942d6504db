"""HTML tables of rows and of names with values."""

import numbers

from kerasmith.report.markup import Markup, escape
from kerasmith.report.numbers import format_number


def table(rows, columns=None, *, caption=None, best=None):
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
    rows = list(rows)
    columns = list(dict.fromkeys(key for row in rows for key in row)) if columns is None else list(columns)
    numeric = {c for c in columns if any(_is_number(row.get(c)) for row in rows)}
    head = "".join(f'<th scope="col"{_number_class(c in numeric)}>{escape(c)}</th>' for c in columns)
    body = []
    for index, row in enumerate(rows):
        cells = []
        for column in columns:
            text = escape(_cell(row.get(column)))
            if best and best.get(column) == index:
                text = f"<strong>{text}</strong>"
            cells.append(f"<td{_number_class(column in numeric)}>{text}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return Markup(
        f'<div class="scroll"><table>{title}<thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'
    )


def key_value_table(values):
    """An HTML table of names and values, one pair in a row.

    >>> key_value_table({"seed": 7}).count("<tr>")
    1
    """
    rows = "".join(f'<tr><th scope="row">{escape(key)}</th><td>{escape(_cell(v))}</td></tr>' for key, v in values.items())
    return Markup(f'<div class="scroll"><table class="pairs"><tbody>{rows}</tbody></table></div>')


def _is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _number_class(numeric):
    return ' class="number"' if numeric else ""


def _cell(value):
    return value if isinstance(value, Markup) else format_number(value)
