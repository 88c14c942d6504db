"""Locks between processes that end with the process, also with a killed one."""

import contextlib
import errno
import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_DEADLOCK_ON_WINDOWS = 36
_OF_THREADS: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


class FileLock:
    """A file that one process at a time holds. The system lets go of it when the process ends, however that happens.

    Args:
        path: the file; made to lock it, removed when it is released. What is in it helps nobody but a reader.

    Within a process it keeps nobody out.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path: Path = Path(path)
        self._file: int | None = None

    def acquire(self, content: str = "", wait: bool = False) -> bool:
        """Takes the lock; whether that was possible.

        Args:
            content: what to write into the file.
            wait: until another process has released it.

        Raises:
            OSError: if the file cannot be made, or this disk has no locks.
        """
        while True:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                if not _lock(file, wait):
                    os.close(file)
                    return False
                # The one who held it may have removed the file in the meantime, and a third one made a new file.
                if os.path.exists(self.path) and os.path.samestat(os.fstat(file), os.stat(self.path)):
                    os.ftruncate(file, 0)
                    os.write(file, content.encode())
                    self._file = file
                    return True
            except BaseException:
                os.close(file)
                raise
            os.close(file)

    def holder(self) -> str:
        """What the process that has the lock has written into it."""
        try:
            return self.path.read_text(encoding="utf-8")
        except OSError:
            return ""

    def release(self) -> None:
        """Removes the file and lets go of it."""
        file, self._file = self._file, None
        if file is None:
            return
        if fcntl is None:
            # Windows removes no file that is open, also by another process that waits for it or has got it by now.
            _unlock_on_windows(file)
            os.close(file)
            with contextlib.suppress(OSError):
                self.path.unlink()
            return
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(file), os.stat(self.path)):
                self.path.unlink()
        os.close(file)


@contextlib.contextmanager
def exclusive(path: str | os.PathLike[str]) -> Iterator[None]:
    """A context that one thread of one process at a time is in; on a disk without locks, one thread of each process.

    Args:
        path: a file for the lock.
    """
    lock = FileLock(path)
    with _OF_THREADS[str(lock.path.resolve())]:
        with contextlib.suppress(OSError):
            lock.acquire(wait=True)
        try:
            yield
        finally:
            lock.release()


def _lock(file: int, wait: bool) -> bool:
    if fcntl is None:
        return _lock_on_windows(file, wait)
    try:
        # Not `flock`, which a forked worker would go on holding after its parent was killed.
        fcntl.lockf(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _lock_on_windows(file: int, wait: bool) -> bool:
    import msvcrt

    while True:
        try:
            msvcrt.locking(file, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
            return True
        except OSError as problem:
            # It waits for ten seconds at most.
            if not wait or problem.errno not in (errno.EACCES, errno.EDEADLK, _DEADLOCK_ON_WINDOWS):
                return False


def _unlock_on_windows(file: int) -> None:
    import msvcrt

    with contextlib.suppress(OSError):
        os.lseek(file, 0, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)
