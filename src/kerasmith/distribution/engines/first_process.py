"""Which callbacks run in every process, and which in the first alone."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras

from kerasmith.distribution._replica_error import SetupError
from kerasmith.keras_internals.global_batch import override

# What these of Keras do is to write files or to print.
_WRITERS = ("ModelCheckpoint", "CSVLogger", "TensorBoard", "RemoteMonitor", "ProgbarLogger")
_INSTEAD = {
    "BackupAndRestore": 'Write `kerasmith.callbacks.Resume("checkpoints")` instead, which goes on with any of them killed.',
    "NumericsGuard": "It works with `--engine torch`, where each process has the whole batch. Or leave it out.",
    "FindLR": "Find the rate in one process, with the same `batch_size`.",
}


def where_it_runs(callback: keras.callbacks.Callback) -> str:
    """ "every" process, the "first" alone, or "none" where several processes would be wrong with it.

    A class says so by its attribute `processes`; of Keras' own it is known, and one of the user's runs in every process.
    """
    declared = getattr(callback, "processes", None)
    if declared is not None:
        return declared
    names = [cls.__name__ for cls in type(callback).__mro__ if cls.__module__.partition(".")[0] == "keras"]
    if "BackupAndRestore" in names:
        return "none"
    return "first" if any(name in _WRITERS for name in names) else "every"


def callbacks_of(callbacks: list[Any], rank: int) -> list[Any]:
    """Those that this process runs.

    Raises:
        SetupError: for one that would be wrong.
    """
    for callback in callbacks:
        if where_it_runs(callback) == "none":
            raise SetupError(
                f"{type(callback).__name__} does not train with several processes: each would keep, or restore, its own. "
                + _INSTEAD.get(type(callback).__name__, "Leave it out, or train in one process.")
            )
    return [one for one in callbacks if rank == 0 or where_it_runs(one) == "every"]


@contextlib.contextmanager
def first_alone(callbacks: list[Any], guard: Callable[[str], Any]) -> Iterator[None]:
    """A context in which the hooks of callbacks that run in one process are within `guard(name)`, a context as well."""
    wrapped = [one for one in callbacks if where_it_runs(one) == "first"]
    added = []
    for callback in wrapped:
        for name in dir(type(callback)):
            if name.startswith("on_") and name not in vars(callback):
                override(callback, name, _guarded(getattr(callback, name), type(callback).__name__, guard))
                added.append((callback, name))
    try:
        yield
    finally:
        for callback, name in added:
            vars(callback).pop(name, None)


def _guarded(hook, name, guard):
    def guarded(*args: Any, **kwargs: Any) -> Any:
        with guard(name):
            return hook(*args, **kwargs)

    return guarded
