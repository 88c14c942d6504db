"""The lines that a terminal shows for finished epochs."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from kerasmith.base.direction import best_index, direction_of
from kerasmith.report.numbers import format_duration, format_number
from kerasmith.report.training import LEARNING_RATE, quantities

_CELL = 9
_BEST = "bold green"


class EpochLines:
    """Turns the logs of one epoch after the other into lines: a table for a terminal, plain text for a file.

    Attributes:
        directions: {metric name: "max" or "min"} as `base.direction.directions_of` gives.
        rows: the logs so far, with `epoch`.
    """

    def __init__(self):
        self.rows: list[dict[str, Any]] = []
        self.directions: dict[str, str | None] = {}
        self._groups = None

    def add(
        self, epoch: int, epochs: int | None, seconds: float, logs: Mapping[str, float], width: int | None = None
    ) -> list[Text]:
        """The lines of a finished epoch, with a new header where the columns have changed.

        Args:
            epoch, epochs: its number, from 1, and how many there will be.
            seconds: how long it took.
            logs: {name: float}.
            width: characters of the terminal; None for plain text.
        """
        self.rows.append({"epoch": epoch, **logs})
        count = f"{epoch}/{epochs}" if epochs else f"{epoch}"
        if width is None:
            values = "  ".join(f"{name} {format_number(value)}" for name, value in logs.items())
            return [Text(f"epoch {count}  {format_duration(seconds)}  {values}")]
        groups, hidden = self._fitting(width)
        head = [] if groups == self._groups else self._header(groups, hidden)
        self._groups = groups
        line = Text(f"{count:>7}  {clock(seconds):>7}")
        for names, space in groups:
            cells = Text()
            for name in names:
                text = format_number(logs.get(name))
                cells.append(f"{text:>{_CELL}}", style=_BEST if self._is_best(name) else "")
            line.append(" " * (space - len(cells) + 2))
            line.append_text(cells)
        return [*head, line]

    def closing(self, seconds: float) -> list[Text]:
        """The line after the last epoch: the best values and the whole time."""
        if not self.rows:
            return []
        line = Text(f"{len(self.rows)} epoch{'s' if len(self.rows) > 1 else ''} in {format_duration(seconds)}")
        for name in self._monitored():
            values = [row.get(name) for row in self.rows]
            best = best_index(values, direction_of(name, self.directions))
            if best is not None:
                line.append(f"  ·  best {name} ")
                line.append(format_number(values[best]), style=_BEST)
                line.append(f" (epoch {self.rows[best]['epoch']})")
        return [line]

    def _monitored(self) -> list[str]:
        names = dict.fromkeys(name for row in self.rows for name in row)
        return [f"val_{name}" if f"val_{name}" in names else name for name in quantities(self.rows)]

    def _is_best(self, name: str) -> bool:
        if len(self.rows) < 2 or name not in self._monitored():
            return False
        return best_index([row.get(name) for row in self.rows], direction_of(name, self.directions)) == len(self.rows) - 1

    def _fitting(self, width: int | None) -> tuple[list[tuple[list[str], int]], int]:
        """([(names, characters)] of the columns that fit into the width, how many do not)."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        wanted = [[n for n in (name, "val_" + name) if n in names] for name in quantities(self.rows)]
        wanted += [[LEARNING_RATE]] if LEARNING_RATE in names else []
        groups, used = [], 7 + 2 + 7 + len("  +9 more")
        for group in wanted:
            space = max(_CELL * len(group), len(_title(group)) + 1)
            if groups and used + space + 2 > width:
                break
            groups.append((group, space))
            used += space + 2
        return groups, len(wanted) - len(groups)

    def _header(self, groups: list[tuple[list[str], int]], hidden: int) -> list[Text]:
        top = Text(f"{'epoch':>7}  {'time':>7}", style="bold")
        below = Text(" " * 16, style="dim")
        for names, space in groups:
            top.append(f"  {_title(names):>{space}}")
            pair = "".join(f"{'val' if name.startswith('val_') else 'train':>{_CELL}}" for name in names)
            below.append(f"  {pair:>{space}}" if len(names) > 1 else " " * (space + 2))
        if hidden:
            top.append(f"  +{hidden} more", style="dim")
        return [top, *([below] if any(len(names) > 1 for names, _ in groups) else [])]


def clock(seconds: float) -> str:
    """Seconds as `4.2s`, `1:05` or `2:07:09`.

    >>> clock(4.21), clock(65), clock(7629)
    ('4.2s', '1:05', '2:07:09')
    """
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _title(names: Sequence[str]) -> str:
    return names[0].removeprefix("val_") if len(names) > 1 else names[0]
