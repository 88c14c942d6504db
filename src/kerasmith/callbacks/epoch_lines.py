"""The lines that a terminal shows for finished epochs."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from kerasmith.base.direction import best_index, direction_of
from kerasmith.report.curves import VALIDATION
from kerasmith.report.numbers import format_duration, format_number
from kerasmith.report.training import LEARNING_RATE, quantities

_CELL = 8
_BEST = "bold green"
_MAIN = 2
"""Metrics that are shown first, beside the loss and the learning rate."""


class EpochLines:
    """Turns the logs of one epoch after the other into lines: a table for a terminal, one short line each for a file.

    First come the loss, the two metrics that matter most and the learning rate; what a callback monitors matters most, then
    what has a direction, the weights of terms and counts least.

    Attributes:
        directions: {metric name: "max" or "min"} as `base.direction.directions_of` gives.
        monitored: names that callbacks watch.
        is_whole: whether a file gets all values, as somebody has chosen them.
        rows: the logs so far, with `epoch`.
    """

    def __init__(self):
        self.rows: list[dict[str, Any]] = []
        self.directions: dict[str, str | None] = {}
        self.monitored: tuple[str, ...] = ()
        self.is_whole: bool = False
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
            names = list(logs) if self.is_whole else [name for name in self._short_list() if name in logs]
            values = "  ".join(f"{name} {format_number(logs[name])}" for name in names)
            return [Text(f"epoch {count}  {format_duration(seconds)}  {values}")]
        place = max(5, 2 * len(str(epochs or epoch)) + 1)
        groups, hidden = self._fitting(width, place)
        head = [] if groups == self._groups else self._header(groups, hidden, place)
        self._groups = groups
        line = Text(f"{count:>{place}}  {clock(seconds):>7}")
        for names, space in groups:
            cells = Text()
            for name in names:
                text = format_number(logs.get(name))
                cells.append(f"{text:>{_CELL}}", style=_BEST if self._is_best(name) else "")
            line.append(" " * (space - len(cells) + 2))
            line.append_text(cells)
        return [*head, line]

    def closing(self, seconds: float, width: int | None = None) -> list[Text]:
        """The line after the last epoch: the whole time and the best values, as many as fit into the width, at least one."""
        if not self.rows:
            return []
        line = Text(f"{len(self.rows)} epoch{'s' if len(self.rows) > 1 else ''} in {format_duration(seconds)}")
        for number, name in enumerate(self._monitored()[: 1 + _MAIN]):
            values = [row.get(name) for row in self.rows]
            best = best_index(values, direction_of(name, self.directions))
            if best is not None:
                value, epoch = format_number(values[best]), f" (epoch {self.rows[best]['epoch']})"
                if number and width is not None and len(line) + len(f"  ·  best {name} {value}{epoch}") > width:
                    break
                line.append(f"  ·  best {name} ")
                line.append(value, style=_BEST)
                line.append(epoch)
        return [line]

    def in_order(self) -> list[str]:
        """The logged quantities, without those of the validation; what matters most first."""
        return sorted(quantities(self.rows), key=self._rank)

    def _rank(self, name: str) -> int:
        if name == "loss":
            return 0
        both = (name, VALIDATION + name)
        if any(one in self.monitored for one in both):
            return 1
        direction = direction_of(name, self.directions)
        if direction is None:
            values = {row[one] for one in both for row in self.rows if one in row}
            return 7 if (len(values) <= 1 and len(self.rows) > 1) or name in self.directions else 5
        is_term = name.endswith("_loss") or direction == "min"
        return 4 if is_term else 3 if name.endswith(("precision", "recall")) else 2

    def _short_list(self) -> list[str]:
        """The loss of both, of the main metrics that of the validation, the learning rate."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        main = [n for n in self.in_order() if n != "loss"][:_MAIN]
        wanted = [
            "loss",
            VALIDATION + "loss",
            *(VALIDATION + n if VALIDATION + n in names else n for n in main),
            LEARNING_RATE,
        ]
        return [name for name in wanted if name in names]

    def _monitored(self) -> list[str]:
        names = dict.fromkeys(name for row in self.rows for name in row)
        return [VALIDATION + name if VALIDATION + name in names else name for name in self.in_order()]

    def _is_best(self, name: str) -> bool:
        if len(self.rows) < 2 or name not in self._monitored():
            return False
        return best_index([row.get(name) for row in self.rows], direction_of(name, self.directions)) == len(self.rows) - 1

    def _fitting(self, width: int, place: int) -> tuple[list[tuple[list[str], int]], int]:
        """([(names, characters)] of the columns that fit into the width, how many do not)."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        wanted = [[n for n in (name, VALIDATION + name) if n in names] for name in self.in_order()]
        rate = [[LEARNING_RATE]] if LEARNING_RATE in names else []
        wanted[1 + _MAIN : 1 + _MAIN] = rate
        full = sum(max(_CELL * len(group), len(_title(group)) + 1) + 2 for group in wanted[: 2 + _MAIN])
        is_narrow = place + 9 + full > width
        is_paired = any(len(group) > 1 for group in wanted)
        groups: list[tuple[list[str], int]] = []
        used = place + 9
        for number, group in enumerate(wanted):
            space = _CELL * len(group) if is_narrow and number < 2 + _MAIN else max(_CELL * len(group), len(_title(group)) + 1)
            # Of the columns that are left out their number is told, below where there is a second line.
            more = 0 if is_paired or number == len(wanted) - 1 else len(f"  +{len(wanted) - number - 1} more")
            if groups and used + space + 2 + more > width:
                break
            groups.append((group, space))
            used += space + 2
        hidden = len(wanted) - len(groups)
        return [*(g for g in groups if g[0] not in rate), *(g for g in groups if g[0] in rate)], hidden

    def _header(self, groups: list[tuple[list[str], int]], hidden: int, place: int) -> list[Text]:
        top = Text(f"{'epoch':>{place}}  {'time':>7}", style="bold")
        is_paired = any(len(names) > 1 for names, _ in groups)
        below = Text(f"{f'+{hidden} more' if hidden and is_paired else '':<{place + 9}}", style="dim")
        for names, space in groups:
            top.append(f"  {_short(_title(names), space):>{space}}")
            pair = "".join(f"{'val' if name.startswith(VALIDATION) else 'train':>{_CELL}}" for name in names)
            below.append(f"  {pair:>{space}}" if len(names) > 1 else " " * (space + 2))
        if hidden and not is_paired:
            top.append(f"  +{hidden} more", style="dim")
        return [top, *([below] if is_paired else [])]


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


def _short(title: str, space: int) -> str:
    """A title in so many characters; its end says more than its beginning.

    >>> _short("learning_rate", 8), _short("loss", 8)
    ('lr', 'loss')
    """
    if len(title) <= space:
        return title
    return "lr" if title == LEARNING_RATE else f"…{title[len(title) - space + 1 :]}"
