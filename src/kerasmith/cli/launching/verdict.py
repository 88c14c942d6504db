"""What a launch ends with: which process failed first, where, and why."""

import json
import signal
import struct
from pathlib import Path
from typing import NamedTuple


class Verdict(NamedTuple):
    """The end of a launch.

    Attributes:
        status: of the launcher: 0, 1 for an error of the script, 2 for bad input.
        text: of an error, or "".
    """

    status: int
    text: str


def verdict(directory: Path, failed: dict[int, int], count: int) -> Verdict:
    """What the notes of the processes and their exit statuses say.

    Args:
        directory: of the notes, see `kerasmith.distribution`.
        failed: {rank: exit status}, the first first.
        count: of processes.
    """
    if not failed:
        return Verdict(0, "")
    causes = {rank: _cause(directory, rank) for rank in range(count)}
    wrong = [rank for rank, cause in causes.items() if cause.get("kind") == "input"]
    if wrong:
        return Verdict(2, causes[wrong[0]]["text"])
    # One that failed because of another is not the first cause.
    own = [rank for rank, cause in causes.items() if cause.get("kind") == "error"]
    silent = [rank for rank in failed if not causes[rank]]
    first = next(iter(failed))
    # A process that was killed could note no cause, and those that waited for it note that of their own end.
    killed = [first] if failed[first] < 0 and not causes[first] else []
    rank = next(iter([*killed, *own, *silent, *failed]))
    text = causes[rank].get("text") or _of_status(failed.get(rank, 0))
    return Verdict(1, f"rank {rank} of {count} failed{_place(directory, rank)}: {text}")


def callers(directory: Path, count: int) -> list[int]:
    """The ranks whose script has called `setup()`."""
    return [rank for rank in range(count) if (directory / f"{rank}.called").exists()]


def ending(directory: Path, count: int) -> list[int]:
    """The ranks whose script has ended with an error; their interpreters may take long to leave."""
    return [rank for rank in range(count) if (directory / f"{rank}.ends").exists()]


def _cause(directory, rank):
    try:
        return json.loads((directory / f"{rank}.cause").read_text())
    except (OSError, ValueError):
        return {}


def _place(directory, rank):
    try:
        epoch, step = struct.unpack("<qq", (directory / f"{rank}.place").read_bytes())
    except (OSError, struct.error):
        return " before it called `setup()`"
    return f" in epoch {epoch}, step {step}" if epoch >= 0 else " before the first step"


def _of_status(status):
    if status >= 0:
        return f"it ended with exit status {status}"
    try:
        return f"it was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"it was ended by signal {-status}"
