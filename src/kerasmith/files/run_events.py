"""What happens in a training, told by whoever does it to whoever keeps a record of it.

A callback that goes back, lowers a rate or ends a run need not know whether there is a report, nor its place in the list.
"""

import threading
import weakref
from typing import Protocol


class Listener(Protocol):
    """What wants to know."""

    def note(self, kind: str, text: str, *, by: str, epoch: int | None = None) -> None:
        """Takes an event; see `tell`."""


_LISTENERS: "weakref.WeakKeyDictionary[Listener, int]" = weakref.WeakKeyDictionary()


def listen(listener: Listener) -> None:
    """The listener is told what happens in this thread from now on."""
    _LISTENERS[listener] = threading.get_ident()


def stop_listening(listener: Listener) -> None:
    """The listener is told nothing any more."""
    _LISTENERS.pop(listener, None)


def tell(kind: str, text: str, *, by: str, epoch: int | None = None) -> None:
    """Tells what has happened.

    Args:
        kind: one of `KINDS`.
        text: a sentence.
        by: the class that did it.
        epoch: as Keras counts it in callbacks, from 0; None for the one that runs.
    """
    here = threading.get_ident()
    for listener, thread in list(_LISTENERS.items()):
        if thread == here:
            listener.note(kind, text, by=by, epoch=epoch)


KINDS: dict[str, str] = {
    "not finite": "a number was not finite",
    "rollback": "went back to an earlier state",
    "early stop": "ended before its time",
    "time limit": "ended for now",
    "resume": "went on after an interruption",
    "learning rate": "the learning rate was lowered",
    "restart": "the learning rate began anew",
    "checkpoint": "a checkpoint was kept",
    "warning": "a warning",
    "note": "a note",
}
"""Kinds of events and what they mean."""

OF_GUARDS: tuple[str, ...] = ("not finite", "rollback")
"""Kinds after which nobody says that a run was completed as it was planned."""
