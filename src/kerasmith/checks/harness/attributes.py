"""What a component keeps in Python: all that is reached from its attributes and that Keras does not look after itself."""

import functools
import inspect
from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from kerasmith.checks.engine.lazy_keras import is_tensor, keras, ops

DEEPEST = 4
LONGEST = 1000
_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.ndarray, np.generic)
_SEQUENCES = (list, tuple, set, frozenset, deque)
_LIBRARIES = ("keras", "torch", "tensorflow", "jax", "jaxlib", "numpy", "builtins")


class AttributePath(NamedTuple):
    """A value that is reached from a component.

    Attributes:
        path: `self.blocks[0].scale`, as its author would write it.
        holder, key: where it is kept: an object and the name of an attribute, a list or dict and the index or key; None and
            a name where it cannot be replaced.
        value: what is there.
    """

    path: str
    holder: Any
    key: Any
    value: Any

    def put(self, value: Any) -> None:
        """Puts another value there, behind the back of a layer that is locked."""
        if isinstance(self.holder, (list, dict, deque)):
            self.holder[self.key] = value
        elif self.key in vars(self.holder):
            vars(self.holder)[self.key] = value
        else:
            setattr(self.holder, self.key, value)


def reached_from(component: Any, root: str = "self", enter: tuple[type, ...] = ()) -> list[AttributePath]:
    """All values that the attributes of a component lead to, through containers, closures and objects that are not Keras'.

    A layer's tracked sublayers are asked for theirs; variables, other layers and metrics are found, not looked into.

    Args:
        component: a layer, metric, loss, callback or function.
        root: what the component is called in paths.
        enter: classes of Keras whose attributes are looked at as well.
    """
    parts = [component]
    if isinstance(component, keras.layers.Layer):
        from kerasmith.keras_internals.layers import all_layers

        parts = all_layers(component)
    found: list[AttributePath] = []
    seen = {id(part) for part in parts}
    for part in parts:
        start = AttributePath(root if part is component else f"<{part.name}>", None, None, part)
        for child in _children(start):
            _visit(child, found, seen, 0, enter)
    return found


def variables_in(places: Iterable[AttributePath]) -> list[tuple[str, Any]]:
    """[(path, variable)] of Keras' and TensorFlow's variables."""
    return [(place.path, place.value) for place in places if is_variable(place.value)]


def is_variable(value: Any) -> bool:
    """Whether a value is a variable of Keras or of TensorFlow."""
    return isinstance(value, keras.Variable) or type(value).__name__ in ("ResourceVariable", "AggregatingVariable")


def is_plain(value: Any) -> bool:
    """Whether a value is a number, text, array or tensor, or a list or dict of those: state that Keras does not know."""
    if isinstance(value, dict):
        return all(map(is_plain, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return isinstance(value, _PLAIN) or (is_tensor(value) and not is_variable(value))


def is_array(value: Any) -> bool:
    """Whether a value is an array or a tensor, and no variable."""
    return isinstance(value, np.ndarray) or (is_tensor(value) and not is_variable(value))


def is_float_array(value: Any) -> bool:
    """Whether a value is a tensor or an array of floats."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "f"
    return is_tensor(value) and not is_variable(value) and "float" in keras.backend.standardize_dtype(value.dtype)


def as_array(value: Any) -> np.ndarray:
    """A tensor, array or number as an array of its own."""
    return np.array(ops.convert_to_numpy(value) if is_tensor(value) else value)


def _visit(place: AttributePath, found: list, seen: set, depth: int, enter: tuple[type, ...]) -> None:
    value = place.value
    if isinstance(value, _PLAIN) or (is_tensor(value) and not is_variable(value)):
        found.append(place)
        return
    if id(value) in seen or isinstance(value, type) or depth > DEEPEST:
        return
    seen.add(id(value))
    found.append(place)
    closed = (keras.Variable, keras.layers.Layer, keras.metrics.Metric)
    if not isinstance(value, enter) and (isinstance(value, closed) or _is_of_library(value)):
        return
    for child in _children(place):
        _visit(child, found, seen, depth + 1, enter)


def _children(place: AttributePath) -> list[AttributePath]:
    """What a container, a function or an object holds."""
    value, path = place.value, place.path
    if isinstance(value, dict):
        items, holder, text = list(value.items()), value, "[{!r}]"
    elif isinstance(value, _SEQUENCES):
        holder = value if isinstance(value, (list, deque)) else None
        items, text = list(enumerate(value)), "[{!r}]"
    elif isinstance(value, functools.partial):
        items, holder, text = [("func", value.func), ("args", value.args), ("keywords", value.keywords)], None, "[{!r}]"
    elif hasattr(value, "__self__") and hasattr(value, "__func__"):
        items, holder, text = [("__self__", value.__self__)], None, "[{!r}]"
    else:
        cells = zip(value.__code__.co_freevars, value.__closure__) if getattr(value, "__closure__", None) else ()
        inner = [AttributePath(f"{path}[{name!r}]", None, name, _content(cell)) for name, cell in cells]
        own = [(name, part) for name, part in list(getattr(value, "__dict__", {}).items()) if not _is_internal(value, name)]
        return inner + [AttributePath(f"{path}.{name}", value, name, part) for name, part in own]
    return [AttributePath(path + text.format(key), holder, key, part) for key, part in items[:LONGEST]]


def _is_of_library(value: Any) -> bool:
    if isinstance(value, (dict, *_SEQUENCES, functools.partial)) or inspect.isroutine(value):
        return inspect.isbuiltin(value)
    return (type(value).__module__ or "").partition(".")[0] in _LIBRARIES


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _is_internal(owner: Any, name: str) -> bool:
    """Whether Keras keeps an attribute of this name in every object of the kind."""
    return name.startswith(("_tf_", "_self_")) or name in _internal_names(
        next((kind for kind in (keras.layers.Layer, keras.metrics.Metric, keras.losses.Loss) if isinstance(owner, kind)), None)
    )


@functools.cache
def _internal_names(kind: type | None) -> frozenset[str]:
    if kind is None:
        return frozenset()
    if kind is not keras.layers.Layer:
        return frozenset(vars(kind()))
    layer = keras.layers.Layer()
    layer.build((2, 3))
    called = keras.layers.Identity()
    called(ops.ones((2, 3)))
    return frozenset({*vars(layer), *vars(called), "input_spec", "_call_arguments", "supports_jit"} - {"axis"})
