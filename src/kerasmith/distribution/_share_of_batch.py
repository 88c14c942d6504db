"""How much of the batch of a step this process has."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import NamedTuple


class ShareOfBatch(NamedTuple):
    """Samples of a step.

    Attributes:
        own: those of this process.
        whole: those of all.
        is_equal: whether each process has as many, and knows it.
    """

    own: int
    whole: int
    is_equal: bool = False


_CURRENT: ContextVar[ShareOfBatch | None] = ContextVar("share_of_batch", default=None)


def share_of_batch() -> ShareOfBatch | None:
    """The share in the step under way; None outside of a step that `setup` has split."""
    return _CURRENT.get()


def processes_with_equal_shares(samples: int) -> int | None:
    """How many processes there are, where each has this many samples and need not ask; None where that is not known."""
    part = _CURRENT.get()
    return part.whole // part.own if part is not None and part.is_equal and part.own == samples > 0 else None


@contextlib.contextmanager
def sharing(own: int, whole: int, is_equal: bool = False) -> Iterator[None]:
    """A context in which this process has `own` of the `whole` samples of a step, and each as many if `is_equal`."""
    token = _CURRENT.set(ShareOfBatch(own, whole, is_equal))
    try:
        yield
    finally:
        _CURRENT.reset(token)
