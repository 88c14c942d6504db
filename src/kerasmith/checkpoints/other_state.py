"""What a model in training has beside variables of Keras: objects of other libraries, and plain values that change."""

import hashlib
from typing import Any

import keras
import numpy as np

from kerasmith.files.messages import warn
from kerasmith.keras_internals import foreign_state
from kerasmith.keras_internals.owned import owned

_MOST_BYTES = 2**26  # of an array that is looked at as a whole


class OtherState:
    """Keeps optimizers of PyTorch, a `tf.Variable`, generators; and of plain numbers and arrays those that training changes.

    Args:
        model: a model before its first step.
    """

    def __init__(self, model: keras.Model):
        self._model = model
        # With the values: another one at the same address would pass for the same.
        self._began = {place: (plain.value, _digest(plain.value)) for place, plain in owned(model).plain.items()}
        self._changed: set[str] = set()
        self._warned_of: set[str] = set()

    def state(self) -> dict[str, Any]:
        """As data for a state file. What cannot be saved is told once, and named in it."""
        own, tracked = owned(self._model), foreign_state.tracked_tensors(self._model)
        found, unsaved = {"foreign": {}, "plain": {}}, {}
        for place, one in own.foreign.items():
            try:
                found["foreign"][place] = {"kind": _kind(one), "state": foreign_state.state_of(one, tracked)}
            except Exception as problem:  # whatever a `state_dict` of the user's raises
                unsaved[place] = f"{_kind(one)}: {problem}"
        for place, plain in own.plain.items():
            began = self._began.get(place)
            if place in self._changed or began is None or _digest(plain.value) != began[1]:
                self._changed.add(place)
                found["plain"][place] = _leaves(plain.value)
        self._tell(unsaved)
        return {**found, "unsaved": unsaved}

    def differences(self, saved: Any) -> list[str]:
        """What keeps a saved state from going into this model, as phrases."""
        own = owned(self._model)
        found = [f"The state of `model.{place}` could not be saved ({why})" for place, why in saved["unsaved"].items()]
        for place, one in saved["foreign"].items():
            here = own.foreign.get(place)
            if here is None or _kind(here) != one["kind"]:
                what = "not there" if here is None else f"a {_kind(here)}"
                found.append(
                    f"`model.{place}` is a {one['kind']} in the checkpoint and {what} here: make it before `fit`, as then"
                )
                continue
            problem = foreign_state.difference(here, one["state"])
            if problem is not None:
                found.append(f"`model.{place}` has {problem}")
        for place, leaves in saved["plain"].items():
            here = own.plain.get(place)
            if here is None or not _fits(here.value, leaves):
                found.append(
                    f"`model.{place}` changed while the training went on and has no value of that form here: give it one "
                    "before `fit`, such as zeros of its shape"
                )
        return found

    def load(self, saved: Any) -> None:
        """Gives the model what `state` has returned."""
        own = owned(self._model)
        for place, one in saved["foreign"].items():
            foreign_state.load(own.foreign[place], one["state"])
        for place, leaves in saved["plain"].items():
            own.plain[place].put(_filled(own.plain[place].value, iter(leaves)))
            self._changed.add(place)

    def _tell(self, unsaved):
        for place in unsaved.keys() - self._warned_of:
            self._warned_of.add(place)
            warn(
                f"Resume: the state of `model.{place}` cannot be saved ({unsaved[place]}): this training cannot go on after "
                "an interruption. Keep there what a `state_dict` can hold: numbers, texts, tensors, lists and dicts of them.",
                stacklevel=5,
            )


def _kind(one):
    return f"{type(one).__module__.partition('.')[0]}.{type(one).__name__}"


def _leaves(value):
    """The numbers and arrays of a plain value."""
    if isinstance(value, tuple):
        return [leaf for part in value for leaf in _leaves(part)]
    if value is None or isinstance(value, (bool, int, float)):
        return [value]
    return [np.array(keras.ops.convert_to_numpy(value))]


def _fits(value, leaves):
    here = _leaves(value)
    return len(here) == len(leaves) and all(
        (one is None) == (other is None) and np.shape(one) == np.shape(other) for one, other in zip(here, leaves, strict=True)
    )


def _filled(value, leaves):
    """A value of the same form with other leaves."""
    if isinstance(value, tuple):
        parts = [_filled(part, leaves) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    leaf = next(leaves)
    if value is None or isinstance(value, (bool, int, float)):
        return leaf
    if isinstance(value, (np.ndarray, np.generic)):
        return np.asarray(leaf, value.dtype)[()] if isinstance(value, np.generic) else np.array(leaf, value.dtype)
    return keras.ops.convert_to_tensor(leaf, keras.backend.standardize_dtype(value.dtype))


def _digest(value):
    if isinstance(value, tuple):
        return tuple(_digest(part) for part in value)
    if not hasattr(value, "shape"):
        return repr(value)
    is_mutable = isinstance(value, np.ndarray) or hasattr(value, "copy_")
    if not is_mutable or getattr(value, "nbytes", 0) > _MOST_BYTES:
        return id(value)
    return hashlib.sha256(np.ascontiguousarray(keras.ops.convert_to_numpy(value)).tobytes()).hexdigest()
