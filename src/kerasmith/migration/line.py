"""A line of ours that stands for a call of another library, and what differs."""

import re
from collections.abc import Sequence

from kerasmith.migration.call import Call

_WIDTH = 100
_PART = re.compile(r"\{([\w.]+)\}")


class Line:
    """What `kerasmith migrate` prints.

    Attributes:
        call: the `Call` that was found.
        ours: our expression with the parts in braces; a rule may set another.
        column: the key of our result that is the number of the call, or None.
        lost: what was given and has no counterpart here.
        notes: what differs besides.
    """

    def __init__(self, call: Call) -> None:
        self.call: Call = call
        self.ours: str = call.ours if "{" in call.ours or not call.ours else f"{{{call.ours}}}"
        self.column: str | None = call.column
        self.lost: list[str] = []
        self.notes: list[str] = list(call.notes)
        self._written: dict[str, dict[str, str]] = {}

    def write(self, name: str, text: str) -> None:
        """Adds `name=text`; "Dice.smooth" goes to that part alone, "" is the first argument without a name."""
        part, _, keyword = name.rpartition(".")
        self._written.setdefault(part, {})[keyword] = text

    def become(self, other: "Line") -> None:
        """Takes the expression of another line, and what differs in it."""
        self.ours, self.column, self._written = other.ours, other.column, other._written
        self.lost += other.lost
        self.notes += other.notes

    def scale(self, factor: str) -> None:
        """Multiplies the whole expression."""
        self.ours = f"{factor} * ({self.ours})" if " + " in self.ours else f"{factor} * {self.ours}"

    @property
    def expression(self) -> str:
        """Our call, or "" if there is no counterpart."""
        return _PART.sub(lambda match: f"{_name(match[1])}({', '.join(self._arguments(match[1]))})", self.ours)

    def _arguments(self, path: str) -> list[str]:
        named = {**self._written.get("", {}), **self._written.get(path.rpartition(".")[2], {})}
        return [text if not name else f"{name}={text}" for name, text in sorted(named.items(), key=lambda pair: pair[0] != "")]

    @property
    def parts(self) -> list[str]:
        """Our parts in the expression, such as "losses.Dice"."""
        return _PART.findall(self.ours)

    @property
    def imports(self) -> list[str]:
        """The lines in front of it."""
        found: dict[str, set[str]] = {}
        keras = False
        for path in self.parts:
            if path.startswith("keras."):
                keras = True
            else:
                package, _, name = path.rpartition(".")
                found.setdefault(f"kerasmith.{package}".rstrip("."), set()).add(name)
        lines = [f"from {package} import {', '.join(sorted(names))}" for package, names in sorted(found.items())]
        return [*(["import keras"] if keras else []), *lines]

    @property
    def code(self) -> str:
        """Python that runs as it stands."""
        return "\n".join([*self.imports, *([""] if self.imports else []), self.expression])

    def __str__(self) -> str:
        lines = [self.code] if self.ours else [f"# {self.call.path} has no counterpart here."]
        if self.column is not None:
            lines.append(f'# Its number is in the column "{self.column}".')
        lines += _section("Not carried over", self.lost) + _section("Where it differs", self.notes)
        return "\n".join(lines)


def _name(path: str) -> str:
    return path if path.startswith("keras.") else path.rpartition(".")[2]


def _section(title: str, texts: Sequence[str]) -> list[str]:
    if not texts:
        return []
    import textwrap

    lines: list[str] = ["", f"# {title}:"]
    for text in texts:
        lines += textwrap.wrap(text, _WIDTH, initial_indent="# - ", subsequent_indent="#   ")
    return lines
