"""The figures of a demo beside those that it has to beat: one table for the terminal, one for the report."""

import dataclasses
from collections.abc import Sequence

from rich.table import Table

from kerasmith import report


@dataclasses.dataclass(frozen=True)
class Figure:
    """What a demo reached, and what a simple method reaches.

    Attributes:
        name: in words.
        reached: a number, or text that is shown as it is.
        to_beat: of the simple method; None where it has none.
        smaller_is_better: of an error, a distance.

    Example:

    >>> Figure("Dice", 0.95, 0.9).is_better, Figure("error", 0.2, 0.1, smaller_is_better=True).is_better
    (True, False)
    """

    name: str
    reached: float | str
    to_beat: float | None = None
    smaller_is_better: bool = False

    @property
    def is_better(self) -> bool | None:
        """Whether it beats `to_beat`; None where there is nothing to beat. A figure that is NaN beats nothing."""
        if self.to_beat is None or isinstance(self.reached, str):
            return None
        return self.reached < self.to_beat if self.smaller_is_better else self.reached > self.to_beat


def terminal_table(figures: Sequence[Figure], *, title: str, simple: str) -> Table:
    """A `rich.table.Table` of the figures.

    Args:
        figures: one row each.
        title: of the table, such as what was held out.
        simple: the name of the simple method, the head of its column.
    """
    table = Table(title=title)
    table.add_column("")
    table.add_column("this run", justify="right")
    table.add_column(simple, justify="right")
    for figure in figures:
        style = {None: "default", True: "bold green", False: "bold red"}[figure.is_better]
        table.add_row(figure.name, f"[{style}]{_text(figure.reached)}[/]", _text(figure.to_beat))
    return table


def page_table(figures: Sequence[Figure], *, simple: str, caption: str) -> report.Markup:
    """The same as a table of the report."""
    rows = [{"figure": figure.name, "this run": figure.reached, simple: figure.to_beat} for figure in figures]
    return report.table(rows, caption=caption)


def _text(value: float | str | None) -> str:
    """Three decimals, or three digits of a number below .1.

    >>> _text(0.9532), _text(0.00123456), _text(27.51), _text(None)
    ('0.953', '0.00123', '27.510', '')
    """
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:.3g}" if 0 < abs(value) < 0.1 else f"{value:.3f}"
