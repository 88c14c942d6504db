"""A limit for what runs in this process; a worker process is watched by its parent instead, which can also end a C call."""

import contextlib
import signal
import threading


class OutOfTime(BaseException):
    """Not an `Exception`: a component that catches all of those must not swallow it."""


@contextlib.contextmanager
def deadline(seconds):
    """Raises `OutOfTime` in the block after `seconds`; no limit with None, in other threads, or without `setitimer`."""
    if seconds is None or threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(*_):
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
