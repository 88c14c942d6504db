"""What a check has found, and how a check says so."""

import dataclasses
from collections.abc import Iterable
from typing import Any

SEVERITIES = ("error", "warning", "note")
OUTCOMES = ("pass", "fail", "inconclusive", "blocked", "not applicable", "timeout")


@dataclasses.dataclass(frozen=True)
class Finding:
    """One fault of a component.

    Attributes:
        id: of the check, such as "L101"; never given to another check.
        severity: "error": `fit` stops on a supported backend, or a number is silently wrong; "warning": wrong in a mode that
            many use (half precision, replicas, loading, resume); "note": taste.
        title: one line.
        expected, actual: what should have come out and what did, with numbers.
        reproducer: at most 12 lines of Python that show it as they stand.
        fix: what to write instead.
        backend: where it was found, joined by ", "; None where every backend that ran shows it.
        file, line: where the component is defined, or None.
    """

    id: str
    severity: str
    title: str
    expected: str
    actual: str
    reproducer: str
    fix: str
    backend: str | None = None
    file: str | None = None
    line: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The attributes by name, plain."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class Record:
    """What came of one check on one backend.

    Attributes:
        id: of the check.
        outcome: one of `OUTCOMES`.
        why: for all but pass and fail.
        finding: for fail.
        data: {"values": numbers that are compared across backends, "finding": what a difference is}, or None.
        cause: for fail, the id of a check that tells why, if it is asked too (since 0.2).
    """

    id: str
    outcome: str
    why: str = ""
    finding: Finding | None = None
    data: Any = None
    cause: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The attributes by name, plain but for `data`."""
        finding = None if self.finding is None else self.finding.as_dict()
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)} | {"finding": finding}


class Failed(Exception):
    """Raised by a check: the component has the fault.

    Args:
        expected, actual: texts with numbers, without a full stop.
        lines: the last lines of the reproducer; those that import and build the component are put before them.
        fix: instead of what the docstring of the check says.
        line: of the file, where it is known better than "where the component begins".
        severity: where this form of the fault is milder or graver than the check's own.
        title: instead of the check's, where one check knows several forms.
        place: a `Place` in the user's script, where the fault is not in the component's own file (since 0.2).
        cause: the id of a check that finds the same and says why: beside its error this one is a note (since 0.2).
    """

    def __init__(
        self,
        expected: str,
        actual: str,
        lines: Iterable[str] = (),
        fix: str | None = None,
        line: int | None = None,
        severity: str | None = None,
        title: str | None = None,
        place: Any = None,
        cause: str | None = None,
    ) -> None:
        super().__init__(actual)
        self.cause: str | None = cause
        self.place: Any = place
        self.expected: str = expected
        self.actual: str = actual
        self.lines: tuple[str, ...] = tuple(lines)
        self.fix: str | None = fix
        self.line: int | None = line
        self.severity: str | None = severity
        self.title: str | None = title


class Inconclusive(Exception):
    """Raised by a check whose input could not have shown the fault; says why."""


class NotApplicable(Exception):
    """Raised by a check that does not concern this component or backend; says why."""


class CannotCheck(ValueError):
    """The component cannot be checked as asked: wrong target, missing arguments, no inputs that it understands.

    Args:
        message: what to write instead.
        details: a longer list, which `--verbose` shows.
    """

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details: str = details


class OutOfTime(BaseException):
    """The seconds of a check are over. Not an `Exception`: a component that catches all of those must not swallow it.

    A check that has found something, and only asks how grave it is, catches it and tells what it found.
    """
