"""The lock of a directory, as Windows has it: a stand-in for its `msvcrt`, and files that are open cannot be removed."""

import errno
import os
import pathlib
import sys
import threading
import time

import pytest

from kerasmith.checkpoints.training_lock import NAME, TrainingLock
from kerasmith.files import lock

pytestmark = pytest.mark.host("files and locks, no backend")


class Windows:
    """Locks bytes of a file by handle; whoever waits gives up after a while; only the owner reads a locked byte."""

    LK_UNLCK, LK_LOCK, LK_NBLCK = 0, 1, 2

    def __init__(self):
        self.open, self.held, self.given_up = {}, {}, 0

    def locking(self, file, mode, count):
        place = os.fstat(file).st_ino, os.lseek(file, 0, os.SEEK_CUR), count
        if mode == self.LK_UNLCK:
            if self.held.pop(place, None) != file:
                raise PermissionError(errno.EACCES, "not locked here")
        elif self.held.setdefault(place, file) != file:
            time.sleep(0.01)
            self.given_up += mode == self.LK_LOCK
            raise OSError(36, "Resource deadlock avoided") if mode == self.LK_LOCK else PermissionError(errno.EACCES, "denied")


@pytest.fixture
def windows(monkeypatch):
    fake = Windows()
    really_open, really_close, really_unlink, really_read = os.open, os.close, pathlib.Path.unlink, pathlib.Path.read_text

    def open_file(path, *args):
        file = really_open(path, *args)
        fake.open[file] = str(path)
        return file

    def close(file):
        fake.open.pop(file, None)
        fake.held = {place: holder for place, holder in fake.held.items() if holder != file}
        really_close(file)

    def unlink(path, missing_ok=False):
        if str(path) in fake.open.values():
            raise PermissionError(errno.EACCES, "used by another process")
        really_unlink(path, missing_ok=missing_ok)

    def read_text(path, *args, **kwargs):
        if any(fake.open.get(holder) == str(path) for holder in fake.held.values()):
            raise PermissionError(errno.EACCES, "locked")
        return really_read(path, *args, **kwargs)

    monkeypatch.setitem(sys.modules, "msvcrt", fake)
    monkeypatch.setattr(lock, "fcntl", None)
    monkeypatch.setattr(os, "open", open_file)
    monkeypatch.setattr(os, "close", close)
    monkeypatch.setattr(pathlib.Path, "unlink", unlink)
    monkeypatch.setattr(pathlib.Path, "read_text", read_text)
    yield fake
    assert not fake.held


class Callbacks(list):
    """Stands for the callbacks of a `fit`: a weak reference can be made to it."""


def test_one_process_has_the_lock(tmp_path, windows):
    first, second = lock.FileLock(tmp_path / "x.lock"), lock.FileLock(tmp_path / "x.lock")
    assert first.acquire("the first")
    assert not second.acquire("the second")
    assert second.holder() == ""  # a locked byte cannot be read
    first.release()
    assert not list(tmp_path.iterdir())
    assert second.acquire("the second")
    second.release()
    assert not list(tmp_path.iterdir())


def test_who_waits_gets_it_at_last(tmp_path, windows):
    first, second = lock.FileLock(tmp_path / "x.lock"), lock.FileLock(tmp_path / "x.lock")
    assert first.acquire()
    waiting = threading.Thread(target=lambda: second.acquire(wait=True))
    waiting.start()
    while windows.given_up < 3:
        time.sleep(0.01)
    first.release()
    waiting.join(60)
    assert second._file is not None
    second.release()
    with lock.exclusive(tmp_path / "x.lock"):
        assert windows.held
    assert not list(tmp_path.iterdir())


def test_a_second_training_is_refused(tmp_path, windows):
    other = lock.FileLock(tmp_path / NAME)  # of another process
    assert other.acquire()
    one = TrainingLock(tmp_path)
    with pytest.raises(ValueError, match=r"just now: another process.*Resume\("):
        one.take(Callbacks())
    assert one.holder() == "another process"
    other.release()
    assert one.holder() is None
    callbacks = Callbacks()
    one.take(callbacks)
    one.take(callbacks)
    assert (tmp_path / NAME).exists()
    del callbacks  # the `fit` has ended with an exception
    assert not list(tmp_path.iterdir())


def test_on_this_system(tmp_path):
    one, callbacks = TrainingLock(tmp_path), Callbacks()
    one.take(callbacks)
    assert (tmp_path / NAME).read_text().startswith(f"process {os.getpid()} on ")
    # A `fit` that is over has nothing to lose.
    assert TrainingLock(tmp_path).holder() is None
    assert TrainingLock(tmp_path, "other").acquire(callbacks) is None
    one.release()
