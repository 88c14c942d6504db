"""How much of the batch of a step this process has."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import NamedTuple


class ShareOfBatch(NamedTuple):
    """Samples of a step: those of this process, and those of all."""

    own: int
    whole: int


_CURRENT: ContextVar[ShareOfBatch | None] = ContextVar("share_of_batch", default=None)


def share_of_batch() -> ShareOfBatch | None:
    """The share in the step under way; None outside of a step that `setup` has split."""
    return _CURRENT.get()


@contextlib.contextmanager
def sharing(own: int, whole: int) -> Iterator[None]:
    """A context in which this process has `own` of the `whole` samples of a step."""
    token = _CURRENT.set(ShareOfBatch(own, whole))
    try:
        yield
    finally:
        _CURRENT.reset(token)
