"""Leaves a model, its optimizer, metrics and data as they were, whatever is done with them inside of a context.

What an object keeps in its attributes, lists and dicts is noted before and put back afterwards, so that also a model that was
built meanwhile is unbuilt again: its weights are drawn when they would have been, from the same generators.
"""

import collections
import contextlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasmith.keras_internals import foreign_state, random_state
from kerasmith.keras_internals.owned import is_foreign

_LISTS = (list, set, dict, collections.deque)
# Objects of these packages are looked into where Keras made them; those of the user's always.
_WALKED = {"keras", "kerasmith"}
_PASSED = {"tensorflow", "torch", "jax", "jaxlib", "numpy", "optree", "h5py", "builtins", "pandas", "scipy", "PIL"}
_PASSED |= set(sys.stdlib_module_names) - {"__main__"}
_MOST_OBJECTS = 500_000
_MOST_NUMBERS = 1_000_000


@contextlib.contextmanager
def untouched(*things: Any) -> Iterator[None]:
    """A context after which models, data, random generators and Keras' counters of names are what they were before it.

    Args:
        *things: models, datasets, callbacks, or lists and dicts of them.
    """
    memory, randoms, names = _Memory(things), _capture_randoms(), _names()
    try:
        yield
    finally:
        memory.put_back()
        _put_names_back(names)
        _restore_randoms(randoms)


class _Memory:
    """What all objects within some others hold."""

    def __init__(self, things: tuple[Any, ...]) -> None:
        self._attributes: list[tuple[Any, dict[str, Any]]] = []
        self._contents: list[tuple[Any, Any]] = []
        self._arrays: list[tuple[np.ndarray, np.ndarray]] = []
        self._values: list[tuple[Any, Any, Any]] = []
        self._states: list[tuple[Any, Any]] = []
        self._seen: dict[int, Any] = {}
        waiting = collections.deque(things)
        while waiting and len(self._seen) < _MOST_OBJECTS:
            one = waiting.popleft()
            if id(one) not in self._seen:
                waiting.extend(self._noted(one))

    def _noted(self, one: Any) -> Any:
        """Notes what an object holds; returns the parts to go on with."""
        if isinstance(one, tuple):
            return one
        if isinstance(one, np.ndarray):
            self._seen[id(one)] = one
            if one.size <= _MOST_NUMBERS and one.flags.writeable and one.dtype != object:
                self._arrays.append((one, one.copy()))
            return ()
        if isinstance(one, Mapping) and issubclass(type(one), dict):
            self._seen[id(one)] = one
            self._contents.append((one, list(dict.items(one))))
            return list(dict.values(one))
        if issubclass(type(one), _LISTS):
            self._seen[id(one)] = one
            content = list(one)
            self._contents.append((one, content))
            return () if content and isinstance(content[0], (str, bytes, int, float)) else content
        if is_foreign(one) and not isinstance(one, (keras.layers.Layer, keras.Variable)):
            self._seen[id(one)] = one
            with contextlib.suppress(TypeError):
                self._states.append((one, foreign_state.state_of(one)))
            return ()
        if not hasattr(one, "__dict__") or isinstance(one, type) or not _is_walked(one):
            return ()
        self._seen[id(one)] = one
        attributes = dict(vars(one))
        self._attributes.append((one, attributes))
        if isinstance(one, keras.Variable):
            self._note_value(one)
            return ()
        return [part for part in attributes.values() if part is not None]

    def _note_value(self, variable: Any) -> None:
        if getattr(variable, "_value", None) is None or keras.backend.backend() == "jax":
            return  # JAX's arrays never change, and the attribute holds one
        self._values.append((variable, np.array(ops.convert_to_numpy(variable.value)), getattr(variable.value, "grad", None)))

    def put_back(self) -> None:
        for one, attributes in self._attributes:
            held = vars(one)
            if len(held) != len(attributes) or any(held.get(name, self) is not value for name, value in attributes.items()):
                held.clear()
                held.update(attributes)
        for one, content in self._contents:
            _fill(one, content)
        for array, content in self._arrays:
            if array.flags.writeable and not np.array_equal(array, content, equal_nan=array.dtype.kind in "fc"):
                array[...] = content
        for variable, value, gradient in self._values:
            if not np.array_equal(np.asarray(ops.convert_to_numpy(variable.value)), value, equal_nan=value.dtype.kind == "f"):
                variable.assign(value)
            if keras.backend.backend() == "torch" and variable.value.grad is not gradient:
                variable.value.grad = gradient
        for one, state in self._states:
            with contextlib.suppress(ValueError, TypeError):
                foreign_state.load(one, state)


def _is_walked(one: Any) -> bool:
    if isinstance(one, (keras.KerasTensor, keras.callbacks.CallbackList)):
        return False
    module = getattr(type(one), "__module__", None) or ""
    package = module.partition(".")[0]
    if package in _WALKED:
        return True
    kinds = (keras.layers.Layer, keras.Variable, keras.optimizers.Optimizer, keras.metrics.Metric, keras.losses.Loss)
    return isinstance(one, kinds) or module.startswith("torch.utils.data") or package not in _PASSED


def _fill(one: Any, content: list[Any]) -> None:
    """Gives a list, set, dict or deque its content again, past what a subclass does when it is changed."""
    if isinstance(one, dict):
        if len(one) != len(content) or any(dict.get(one, key, _fill) is not value for key, value in content):
            dict.clear(one)
            dict.update(one, content)
        return
    if len(one) == len(content) and all(a is b for a, b in zip(one, content)):
        return
    kind = next(kind for kind in _LISTS if isinstance(one, kind))
    kind.clear(one)
    (kind.update if kind is set else kind.extend)(one, content)


def _capture_randoms() -> dict[str, Any]:
    state = random_state.capture()
    if keras.backend.backend() == "tensorflow":
        from tensorflow.python.eager import context

        # With a seed the order of a dataset that is made next comes from here.
        generator = getattr(context.context(), "_rng", None)
        state["tensorflow"] = None if generator is None else generator.getstate()
    return state


def _restore_randoms(state: dict[str, Any]) -> None:
    before = state.pop("tensorflow", None)
    random_state.restore(state)
    if "keras" not in state:
        random_state.forget_generator()
    if before is not None:
        from tensorflow.python.eager import context

        context.context()._rng.setstate(before)


def _names() -> dict[str, int] | None:
    """How often Keras has given each name to an object without one."""
    from keras.src.backend.common import global_state

    counts = global_state.get_global_attribute("object_name_uids")
    return None if counts is None else dict(counts)


def _put_names_back(before: dict[str, int] | None) -> None:
    from keras.src.backend.common import global_state

    counts = global_state.get_global_attribute("object_name_uids")
    if counts is not None:
        counts.clear()
        counts.update(before or {})
