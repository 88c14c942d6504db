"""The state of callbacks: their own `state_dict` where they have one, an adapter for those of Keras."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasmith.files.messages import warn
from kerasmith.keras_internals.callback_attributes import ATTRIBUTES
from kerasmith.objectives.weight_transfer import WeightArrays

_WITHOUT = (
    keras.callbacks.CallbackList,
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ProgbarLogger,
    keras.callbacks.RemoteMonitor,
    keras.callbacks.TerminateOnNaN,
)
_OF_KERAS = ("params", "validation_data")


def states(callbacks: Sequence[keras.callbacks.Callback]) -> list[tuple[str, Any]]:
    """[(key, state)] of the callbacks that have one; a key is the class and the place among callbacks of that class."""
    found = []
    for key, callback in keyed(callbacks):
        state = _get(callback)
        if state is not None:
            found.append((key, state))
    return found


def load(callbacks: Sequence[keras.callbacks.Callback], saved: Any) -> list[str]:
    """Gives states that `states` returned to the callbacks; returns the keys for which there is no callback here."""
    here = dict(keyed(callbacks))
    for key, state in saved:
        if key in here:
            _set(here[key], state)
    return [key for key, _ in saved if key not in here]


def keyed(callbacks: Sequence[keras.callbacks.Callback]) -> list[tuple[str, keras.callbacks.Callback]]:
    """[(key, callback)]."""
    counts, found = {}, []
    for callback in callbacks:
        name = type(callback).__name__
        counts[name] = counts.get(name, -1) + 1
        found.append((f"{name}#{counts[name]}", callback))
    return found


def has_state(callback: keras.callbacks.Callback) -> bool:
    """Whether a callback follows the contract, or is one of Keras' that are known here."""
    return hasattr(callback, "state_dict") or isinstance(callback, (*ATTRIBUTES, keras.callbacks.CSVLogger))


class UnsavedStateWatcher:
    """Warns of callbacks that change while they have no `state_dict`: they would start anew after a resume.

    Args:
        callbacks: those of a `fit`.
    """

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        self._monitored = [(c, _plain_attributes(c)) for c in callbacks if not has_state(c) and not isinstance(c, _WITHOUT)]

    def warn(self) -> None:
        """Warns once of each callback whose numbers have changed."""
        unchanged = []
        for callback, before in self._monitored:
            now = _plain_attributes(callback)
            changed = [name for name in now if name not in before or not _same(before[name], now[name])]
            if changed:
                warn(
                    f"{type(callback).__name__} changes {', '.join(f'`{name}`' for name in changed)} while it trains and has "
                    "no `state_dict()` and `load_state_dict(state)`: after an interruption it starts anew. Add both.",
                    stacklevel=3,
                )
            else:
                unchanged.append((callback, before))
        self._monitored = unchanged


def _get(callback):
    if hasattr(callback, "state_dict"):
        return callback.state_dict()
    if isinstance(callback, keras.callbacks.CSVLogger):
        return _csv_state(callback)
    names = _attributes(callback)
    return {name: _as_plain(getattr(callback, name)) for name in names if hasattr(callback, name)} if names else None


def _set(callback, state):
    if hasattr(callback, "load_state_dict"):
        callback.load_state_dict(state)
    elif isinstance(callback, keras.callbacks.CSVLogger):
        _load_csv(callback, state)
    else:
        for name in _attributes(callback):
            if name in state:
                setattr(callback, name, state[name])


def _attributes(callback):
    return tuple(dict.fromkeys(name for cls, names in ATTRIBUTES.items() if isinstance(callback, cls) for name in names))


def _as_plain(value):
    if keras.ops.is_tensor(value) or isinstance(value, keras.Variable):
        return np.array(keras.ops.convert_to_numpy(value))
    if isinstance(value, WeightArrays):  # `set_weights` also takes the long list
        return [_as_plain(item) for item in (*value, *value.objective)]
    if isinstance(value, dict):
        return {key: _as_plain(item) for key, item in value.items()}
    return [_as_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _csv_state(logger):
    # Keras opens the file anew, empty, each time that `fit` begins: what it held so far has to come along.
    if logger.csv_file is not None and not logger.csv_file.closed:
        logger.csv_file.flush()
    path = Path(logger.filename)
    text = path.read_bytes().decode() if path.exists() else ""
    return {"text": text, "keys": logger.keys, "has_header": logger.writer is not None}


def _load_csv(logger, state):
    if logger.csv_file is not None and not logger.csv_file.closed:
        logger.csv_file.close()
    Path(logger.filename).write_bytes(state["text"].encode())
    logger.csv_file = Path(logger.filename).open("a", encoding="utf-8", newline="")  # noqa: SIM115
    logger.keys, logger.writer = state["keys"], None
    if state["has_header"]:

        class Dialect(csv.excel):
            delimiter = logger.sep

        logger.writer = csv.DictWriter(logger.csv_file, fieldnames=["epoch", *(logger.keys or [])], dialect=Dialect)


def _plain_attributes(callback):
    found = {}
    for name, value in vars(callback).items():
        if name in _OF_KERAS:
            continue
        if value is None or isinstance(value, (bool, int, float, str, np.generic)):
            found[name] = value
        elif isinstance(value, (list, dict, set, np.ndarray)):
            found[name] = repr(value)  # may change in place
    return found


def _same(before, now):
    return before is now or (type(before) is type(now) and (before == now or (before != before and now != now)))
