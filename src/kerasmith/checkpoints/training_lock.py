"""One training at a time writes into a directory of checkpoints."""

import datetime
import os
import platform
import weakref
from pathlib import Path
from typing import Any

from kerasmith.distribution import process_index
from kerasmith.files.lock import FileLock
from kerasmith.keras_internals import fit_call

NAME = ".training.lock"
_HELD: dict[str, "TrainingLock"] = {}


class TrainingLock:
    """Held from the beginning of a `fit` to its end. That of a process that was killed is free.

    Args:
        directory: of the checkpoints, or of what else one training writes.
        name: of the lock's file.
    """

    def __init__(self, directory: str | os.PathLike[str], name: str = NAME):
        self._path: Path = Path(directory).resolve() / name
        self._file = FileLock(self._path)
        self._of: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return TrainingLock, (self._path.parent, self._path.name)

    def take(self, callbacks: Any) -> None:
        """Takes the lock for a `fit`.

        Args:
            callbacks: the `CallbackList` of the `fit`; with it the lock goes, also after an exception.

        Raises:
            ValueError: if a training that is alive has it. A disk without locks has none to refuse.
        """
        holder = self.acquire(callbacks)
        if holder is not None:
            raise ValueError(_refusal(self._path.parent, holder))

    def acquire(self, callbacks: Any) -> str | None:
        """Takes the lock for a `fit`, see `take`; returns who has it if it cannot be had."""
        if process_index() > 0:
            return None  # one training in several processes
        holder = self._holder_here(callbacks)
        if holder is not None:
            return holder
        when = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        try:
            if not self._file.acquire(f"process {os.getpid()} on {platform.node()}, since {when}"):
                return self._file.holder() or "another process"
        except OSError:
            return None
        self._of = weakref.ref(callbacks)
        _HELD[str(self._path)] = self
        weakref.finalize(callbacks, _release, self, self._of)
        return None

    def holder(self) -> str | None:
        """Who has the lock, None if it is free."""
        held = self._holder_here(None)
        if held is not None:
            return held
        try:
            if not self._file.acquire():
                return self._file.holder() or "another process"
        except OSError:
            return None
        self._file.release()
        return None

    def _holder_here(self, callbacks):
        """Who of this process has it. That of a `fit` which is over is let go."""
        held = _HELD.get(str(self._path))
        if held is None:
            return None
        of = held._of()
        if of is not None and (of is not callbacks or held is not self) and fit_call.is_running(of):
            return "this `fit`" if of is callbacks else "another `fit` of this process"
        held.release()
        return None

    def release(self) -> None:
        """Lets go of it; it can be taken again."""
        if _HELD.get(str(self._path)) is self:
            del _HELD[str(self._path)]
        self._file.release()


def _release(lock, of):
    # A later `fit` may have taken it anew.
    if lock._of is of:
        lock.release()


def _refusal(directory, holder):
    return (
        f"A training is writing its checkpoints to {directory} just now: {holder}. Two would take each other's for their own. "
        f'Wait for it, end it, or give this one another directory, such as Resume("{directory}-2").'
    )
