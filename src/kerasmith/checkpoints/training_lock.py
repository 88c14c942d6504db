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
        directory: of the checkpoints.
    """

    def __init__(self, directory: str | os.PathLike[str]):
        self._path: Path = Path(directory).resolve() / NAME
        self._file = FileLock(self._path)
        self._of: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return TrainingLock, (self._path.parent,)

    def take(self, callbacks: Any) -> None:
        """Takes the lock for a `fit`.

        Args:
            callbacks: the `CallbackList` of the `fit`; with it the lock goes, also after an exception.

        Raises:
            ValueError: if a training that is alive has it. A disk without locks has none to refuse.
        """
        if process_index() > 0:
            return  # one training in several processes
        held = _HELD.get(str(self._path))
        if held is not None:
            of = held._of()
            if of is not None and of is not callbacks and fit_call.is_running(of):
                raise ValueError(_refusal(self._path.parent, "another `fit` of this process"))
            held.release()
        when = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        try:
            if not self._file.acquire(f"process {os.getpid()} on {platform.node()}, since {when}"):
                raise ValueError(_refusal(self._path.parent, self._file.holder() or "another process"))
        except OSError:
            return
        self._of = weakref.ref(callbacks)
        _HELD[str(self._path)] = self
        weakref.finalize(callbacks, _release, self, self._of)

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
