"""What can be seen of a training from outside, and how two of them differ."""

import dataclasses
import re
from typing import Any

import numpy as np

from kerasmith.checks.engine.comparison import EXACT, ROUNDED, Tolerance, same

_NUMBER = re.compile(r"\d+(\.\d+)?(e[+-]?\d+)?")


@dataclasses.dataclass
class Trace:
    """What a callback has done.

    Attributes:
        first: the epoch that the training began with.
        stopped: the epoch after which training was ended, or None.
        rates: {epoch: [learning rate of each step]}; None where it cannot be seen.
        logs: {epoch: logs as the callbacks after it see them}.
        weights: {epoch: weights at its end}.
        final: the weights when training has ended, None if it was broken off.
        printed: {epoch: text}; "end" for what was printed at the end.
        files: {relative path: bytes, or checksums of an archive}.
        touched: [(hook, key, value before, value after)] of logs that were changed or removed; after is None if removed.
        held: {epoch: numbers in the arrays that the callback holds}.
        attributes: {name: value} of the callback at the end.
        asked_to_stop: whether `model.stop_training` was set.
    """

    first: int = 0
    stopped: int | None = None
    rates: dict[Any, Any] = dataclasses.field(default_factory=dict)
    logs: dict[Any, Any] = dataclasses.field(default_factory=dict)
    weights: dict[Any, Any] = dataclasses.field(default_factory=dict)
    final: np.ndarray | None = None
    printed: dict[Any, Any] = dataclasses.field(default_factory=dict)
    files: dict[Any, Any] = dataclasses.field(default_factory=dict)
    touched: list[Any] = dataclasses.field(default_factory=list)
    held: dict[Any, Any] = dataclasses.field(default_factory=dict)
    attributes: dict[Any, Any] = dataclasses.field(default_factory=dict)
    asked_to_stop: bool = False

    def fingerprint(self, since: int = 0) -> dict[str, Any]:
        """{what: value} of everything that another training can be compared with, from epoch `since` on."""
        found = {"stopped": self.stopped, "final": self.final}
        for kind in ("rates", "logs", "weights", "printed"):
            for epoch, value in getattr(self, kind).items():
                if epoch == "end" or epoch >= since:
                    # Numbers that are printed are seconds too often.
                    found[f"{kind} {epoch}"] = _NUMBER.sub("0", value) if kind == "printed" else value
        for path, content in self.files.items():
            found[f"files {path}"] = content
        return found


def differences(
    one: Trace, other: Trace, since: int = 0, clock: tuple[str, ...] = (), tolerance: Tolerance = ROUNDED
) -> dict[str, tuple[Any, Any]]:
    """{what: (value in one, value in other)} of two traces.

    Args:
        since: the first epoch to compare.
        clock: entries that differ by themselves, such as a time; see `nondeterministic_fields`.
        tolerance: of numbers.
    """
    left, right = one.fingerprint(since), other.fingerprint(since)
    names = [name for name in dict.fromkeys([*left, *right]) if name not in clock]
    return {name: (left.get(name), right.get(name)) for name in names if not same(left.get(name), right.get(name), tolerance)}


def nondeterministic_fields(one: Trace, other: Trace, since: int = 0) -> tuple[str, ...]:
    """What differs between two equal trainings, be it by the last digit: a clock, a random number."""
    return tuple(differences(one, other, since, tolerance=EXACT))


def without_printed(found: dict[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """Those differences that are more than printed text."""
    return {name: pair for name, pair in found.items() if not name.startswith("printed")}


def describe(name: str, value: Any) -> str:
    """One entry of a fingerprint in words."""
    kind, _, which = name.partition(" ")
    if name == "stopped":
        return "training goes on to its end" if value is None else f"training stops after epoch {value + 1}"
    if kind == "files":
        return f"file {which}: " + ("does not exist" if value is None else _text(value))
    when = "at the end" if which in ("", "end") else f"in epoch {int(which) + 1}"
    what = {"rates": "learning rate", "logs": "logs", "weights": "weights", "final": "weights", "printed": "prints"}[kind]
    if kind == "printed":
        return f"{what} {when}: {value!r}"
    return f"{what} {when}: {_short(value)}"


def _text(content: Any) -> str:
    if isinstance(content, dict):
        return "checksums " + ", ".join(f"{name} {number:08x}" for name, number in content.items())[:120]
    try:
        return repr(content.decode())[:120]
    except UnicodeDecodeError:
        return f"{len(content)} bytes"


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_short(part)}" for key, part in value.items()) + "}"
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim):
        return "[" + ", ".join(_short(part) for part in list(value)[:5]) + "]"
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)[:80]
