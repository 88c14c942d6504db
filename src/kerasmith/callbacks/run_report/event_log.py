"""The events of a run, in order."""

from collections.abc import Iterable
from typing import Any

from kerasmith.files.run_events import KINDS, OF_GUARDS


class EventLog:
    """What happened, each time once.

    Attributes:
        entries: list of {"epoch", "kind", "by", "text"}; the epoch is a number from 1, with a fraction where it is known, 0
            before the first one.

    Example:

    >>> log = EventLog()
    >>> log.add("rollback", "Rollback 1 of 3.", by="NumericsGuard", epoch=2)
    >>> log.by_guards, log.entries[0]["epoch"]
    (1, 2)
    """

    def __init__(self, entries: Iterable[dict[str, Any]] = ()) -> None:
        self.entries: list[dict[str, Any]] = [dict(entry) for entry in entries]

    @property
    def by_guards(self) -> int:
        """How often a guard acted."""
        return sum(entry["kind"] in OF_GUARDS for entry in self.entries)

    def add(self, kind: str, text: str, *, by: str, epoch: float) -> None:
        """Adds an event; the same warning is noted once, and the same event once in an epoch.

        Raises:
            ValueError: for an unknown kind.
        """
        if kind not in KINDS:
            raise ValueError(f"`kind` must be one of {', '.join(map(repr, KINDS))}. Received: kind={kind!r}")
        text = " ".join(str(text).split())
        text = text.removeprefix(f"{by}: ")
        entry = {"epoch": epoch, "kind": kind, "by": by, "text": text}
        known = [{**other, "epoch": epoch} if kind == "warning" else other for other in self.entries]
        if entry not in known:
            self.entries.append(entry)

    def in_order(self) -> list[dict[str, Any]]:
        """The events by epoch."""
        return sorted((dict(entry) for entry in self.entries), key=lambda entry: entry["epoch"])
