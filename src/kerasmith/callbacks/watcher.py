"""Callbacks that only watch, and what keeps their failures from ending a training."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import keras

from kerasmith.callbacks.copies import Copyable
from kerasmith.files.messages import warn

_HOOKS = (
    "on_epoch_begin",
    "on_epoch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_begin",
    "on_test_end",
    "on_test_batch_begin",
    "on_test_batch_end",
    "on_train_end",
    "before_step",
)
_FIRST_HOOKS = ("on_train_begin", "load_state_dict")


class Watcher(Copyable, keras.callbacks.Callback):
    """Base of callbacks that only watch: whatever fails in them, the training goes on and keeps its result.

    A hook of a subclass in this package runs within `sparing`: an exception - a full disk, a directory that is gone, a closed
    output, a picture that cannot be drawn - becomes one warning in each `fit`, and the hook is called again the next time.
    Before the first step, in `on_train_begin` and `load_state_dict`, only failures of files and outputs are spared: a wrong
    argument ends the training where it costs nothing. A part of a hook has a `sparing` of its own where the rest shall go on.

    Attributes:
        only_watches: True for these; `callbacks/README.md` lists them all.
        processes: of a training in several processes: "first" for those that run in the first alone (since 0.2).
    """

    only_watches: bool = True
    processes: str = "first"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # A subclass of a user may mean to end the training.
        if cls.__module__.partition(".")[0] == "kerasmith":
            for names, everything in ((_HOOKS, True), (_FIRST_HOOKS, False)):
                for name in names:
                    if name in vars(cls):
                        setattr(cls, name, _spared(vars(cls)[name], everything))

    @contextlib.contextmanager
    def sparing(self, what: str, everything: bool = True) -> Iterator[None]:
        """A context that turns an exception into a warning, one for each `what` in a `fit`.

        Args:
            what: what fails, for the warning: "writing history.csv".
            everything: any exception; False for those of files and outputs only.
        """
        try:
            yield
        except Warning:
            raise  # made an error by a filter of the user's
        except Exception as problem:
            if not (everything or is_outside(problem)):
                raise
            self._tell_failure(what, problem)

    def _tell_failure(self, what: str, problem: BaseException) -> None:
        known = vars(self).setdefault("_known_failures", set())
        if what not in known:
            known.add(what)
            warn(
                f"{type(self).__name__}: {what} failed ({type(problem).__name__}: {problem}). Training goes on without; it is "
                "tried again the next time. This is told once.",
                stacklevel=4,
            )


def is_outside(problem: BaseException) -> bool:
    """Whether a file, a directory or an output failed, and no argument of the user."""
    closed = isinstance(problem, ValueError) and "closed file" in str(problem)
    return closed or isinstance(problem, (OSError, UnicodeError))


def _spared(hook: Callable[..., Any], everything: bool) -> Callable[..., Any]:
    @functools.wraps(hook)
    def spared(self: Watcher, *args: Any, **kwargs: Any) -> Any:
        if hook.__name__ == "on_train_begin":
            vars(self).pop("_known_failures", None)
        with self.sparing(f"`{hook.__name__}`", everything):
            return hook(self, *args, **kwargs)

    return spared
