"""A file or directory that one training at a time writes; another one goes to the next free name."""

from pathlib import Path
from typing import Any

from kerasmith.checkpoints.training_lock import TrainingLock
from kerasmith.files.messages import warn
from kerasmith.keras_internals import fit_call


class OwnPlace:
    """Where a callback writes. While another training writes there, it is the first free one of `<name>-2`, `<name>-3`, ...

    Args:
        path: a file in a directory that exists.
        owner: who writes there, for the warning.
    """

    def __init__(self, path: Path, owner: str):
        self.path: Path = path
        self.owner = owner
        self._lock: TrainingLock | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.owner)

    def take(self) -> bool:
        """Takes the place for the `fit` that is running; returns whether that is another one than before, which is told.

        Raises:
            OSError: if no directory can be made there.
        """
        fit = fit_call.find()
        if fit is None:
            return False
        self.release()
        path, number, holder = self.path, 1, None
        while True:
            lock = self._lock_of(path)
            taken = lock.acquire(fit.callbacks)
            if taken is None:
                if number == 1 or not self._is_occupied(path):
                    break
                lock.release()
            holder = holder or taken
            number += 1
            path = self._numbered(number)
        self._lock = lock
        if number == 1:
            return False
        warn(
            f"{self.owner}: another training writes to {self.path} just now: {holder}. So that neither loses anything, this "
            f"one writes to {path}.",
            stacklevel=5,
        )
        self.path = path
        return True

    def release(self) -> None:
        """Lets go of it; it can be taken again."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _lock_of(self, path: Path) -> TrainingLock:
        return TrainingLock(path.parent, lock_name(path.name))

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.stem}-{number}{self.path.suffix}")

    def _is_occupied(self, path: Path) -> bool:
        return path.exists()


class OwnDirectory(OwnPlace):
    """An `OwnPlace` that is a directory, with the lock inside; one is free if it has no other file.

    Args:
        path: the directory, which is made.
        owner: who writes there, for the warning.
        file: the name of a file there whose lock it is.
    """

    def __init__(self, path: Path, owner: str, file: str):
        super().__init__(path, owner)
        self._file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.owner, self._file)

    def _lock_of(self, path: Path) -> TrainingLock:
        path.mkdir(parents=True, exist_ok=True)
        return TrainingLock(path, lock_name(self._file))

    def _numbered(self, number: int) -> Path:
        resolved = self.path.resolve()
        return resolved.with_name(f"{resolved.name}-{number}")

    def _is_occupied(self, path: Path) -> bool:
        return any(file.name != lock_name(self._file) for file in path.iterdir())


def lock_name(file: str) -> str:
    """The name of the lock of a file."""
    return f".{file}.lock"
