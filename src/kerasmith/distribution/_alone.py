"""Code that every process runs for itself on the same whole data."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

_ALONE: ContextVar[bool] = ContextVar("alone", default=False)


def is_alone() -> bool:
    """Whether the code under way runs in each process for itself."""
    return _ALONE.get()


@contextlib.contextmanager
def alone(value: bool = True) -> Iterator[None]:
    """A context in which this process counts as the only replica; with False one in it where it no longer does."""
    token = _ALONE.set(value)
    try:
        yield
    finally:
        _ALONE.reset(token)
