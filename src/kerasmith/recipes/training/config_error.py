"""Errors in a configuration, with the place where they are."""

import dataclasses
import difflib
from collections.abc import Iterable


@dataclasses.dataclass(frozen=True)
class Place:
    """Where something stands: a file, a line and a column, both counted from 1.

    >>> str(Place("config.yaml", 3, 7))
    'config.yaml:3:7'
    """

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def moved(self, columns: int) -> "Place":
        """The place some columns to the right; the same where no column is known."""
        return dataclasses.replace(self, column=self.column + columns) if self.line else self


class ConfigError(ValueError):
    """What a configuration asks for cannot be done.

    Args:
        place: a `Place`, or None where there is no single one.
        text: what was expected, what came, what to write instead.
    """

    def __init__(self, place: Place | None, text: str) -> None:
        super().__init__(text if place is None else f"{place}: {text}")
        self.place = place


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence with the known names that are like `name`, or with all of them where none is.

    >>> did_you_mean("epoch", ["epochs", "loss"])
    'Did you mean `epochs`?'
    """
    names = sorted(known)
    close = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(f'`{one}`' for one in close)}?"
    return f"There are: {', '.join(names)}."


def displayed(value: object, limit: int = 60) -> str:
    """A value as text of a bounded length."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."
