"""What a layer keeps in Python attributes: everything that is reached from them and that Keras does not look after itself."""

import functools
from collections import deque
from typing import Any, NamedTuple

import numpy as np

from kerasmith.checks.engine.lazy_keras import is_tensor, keras, ops

DEEPEST = 4
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


class Place(NamedTuple):
    """A value that is reached from a layer.

    Attributes:
        path: `self.blocks[0].scale`, as its author would write it. holder, key: where it is kept: an object and the name of
        an attribute, a list or dict and the index or key; None and None
            where it cannot be replaced.
        value: what is there.
    """

    path: str
    holder: Any
    key: Any
    value: Any

    def put(self, value):
        """Puts another value there."""
        if isinstance(self.holder, (list, dict, deque)):
            self.holder[self.key] = value
        else:
            setattr(self.holder, self.key, value)

    def get(self):
        """What is there now."""
        return self.holder[self.key] if isinstance(self.holder, (list, dict, deque)) else getattr(self.holder, self.key)


def places(layer):
    """[Place] of all values that the layer's own attributes lead to, and those of the sublayers that Keras tracks."""
    found, seen = [], {id(part) for part in layer._flatten_layers()}
    for part in layer._flatten_layers():
        prefix = "self" if part is layer else f"<{part.name}>"
        for name, value in vars(part).items():
            if name not in _of_keras() and not name.startswith(("_tf_", "_self_")):
                _walk(Place(f"{prefix}.{name}", part, name, value), found, seen, 0)
    return found


def tensors_and_arrays(layer):
    """[Place] of the floating tensors and arrays among `places`."""
    return [place for place in places(layer) if is_float_array(place.value) and place.holder is not None]


def is_float_array(value):
    """Whether a value is a tensor or an array of floats."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "f"
    return (
        is_tensor(value) and not isinstance(value, keras.Variable) and "float" in keras.backend.standardize_dtype(value.dtype)
    )


def as_array(value):
    """A tensor, array or number as an array of its own."""
    return np.array(ops.convert_to_numpy(value) if is_tensor(value) else value)


def _walk(place, found, seen, depth):
    value = place.value
    if isinstance(value, (*_PLAIN, np.ndarray)) or is_tensor(value):
        found.append(place)
        return
    if id(value) in seen or isinstance(value, type) or depth > DEEPEST:
        return
    seen.add(id(value))
    if isinstance(value, (keras.layers.Layer, keras.Variable)):
        found.append(place)
        return
    for key, part, holder in _parts(value):
        text = f".{key}" if holder is value and not isinstance(value, (list, dict, tuple, set, deque)) else f"[{key!r}]"
        _walk(Place(place.path + text, holder, key, part), found, seen, depth + 1)


def _parts(value):
    """(key, part, holder) of a container, of a function's closure, or of a plain object."""
    if isinstance(value, dict):
        return [(key, part, value) for key, part in list(value.items())]
    if isinstance(value, (list, deque)):
        return [(index, part, value) for index, part in enumerate(value)]
    if isinstance(value, (tuple, set, frozenset)):
        return [(index, part, None) for index, part in enumerate(value)]
    if isinstance(value, functools.partial):
        return [("func", value.func, None), ("args", value.args, None), ("keywords", value.keywords, None)]
    if getattr(value, "__closure__", None):
        return [(name, _content(cell), None) for name, cell in zip(value.__code__.co_freevars, value.__closure__)]
    if hasattr(value, "__self__") and hasattr(value, "__func__"):
        return [("__self__", value.__self__, None)]
    if (type(value).__module__ or "").partition(".")[0] in (
        "keras",
        "torch",
        "tensorflow",
        "jax",
        "jaxlib",
        "numpy",
        "builtins",
    ):
        return []
    return [(name, part, value) for name, part in list(getattr(value, "__dict__", {}).items())]


def _content(cell):
    try:
        return cell.cell_contents
    except ValueError:
        return None


@functools.cache
def _of_keras():
    """Names of the attributes that Keras gives every layer."""
    layer = keras.layers.Layer()
    layer.build((2, 3))
    called = keras.layers.Identity()
    called(ops.ones((2, 3)))
    return frozenset({*vars(layer), *vars(called), "input_spec", "_call_arguments", "supports_jit"} - {"axis"})
