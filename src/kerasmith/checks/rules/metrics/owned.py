"""What a metric holds besides its variables: Python numbers, lists, tensors, and variables in helper objects."""

import numpy as np

from kerasmith.checks.engine.lazy_keras import is_tensor, keras, to_arrays

_FOREIGN = ("keras", "tensorflow", "jax", "jaxlib", "torch", "numpy", "builtins")
_DEPTH = 4


def walk(component):
    """Yields (path, holder, key, value) of all attributes of a metric, and of the plain objects and metrics that it holds.

    `holder[key]` is the value; what Keras itself keeps is left out.
    """
    yield from _walk(component, "metric", set(), _DEPTH)


def _walk(owner, path, seen, depth):
    if id(owner) in seen or depth == 0:
        return
    seen.add(id(owner))
    if isinstance(owner, dict):
        holder, items = owner, [(key, f"{path}[{key!r}]") for key in owner]
    elif isinstance(owner, (list, tuple)):
        holder, items = owner, [(index, f"{path}[{index}]") for index in range(len(owner))]
    else:
        holder = vars(owner)
        internal = vars(keras.metrics.Metric()) if isinstance(owner, keras.metrics.Metric) else ()
        items = [(key, f"{path}.{key}") for key in holder if key not in internal]
    for key, name in items:
        value = holder[key]
        yield name, holder, key, value
        if _is_walkable(value):
            yield from _walk(value, name, seen, depth - 1)


def _is_walkable(value):
    if isinstance(value, (dict, list, tuple)):
        return len(value) < 1000
    if (
        isinstance(value, type)
        or not hasattr(value, "__dict__")
        or (callable(value) and not isinstance(value, keras.metrics.Metric))
    ):
        return False
    return isinstance(value, keras.metrics.Metric) or type(value).__module__.partition(".")[0] not in _FOREIGN


def is_variable(value):
    """Whether a value is a variable of Keras or of TensorFlow."""
    return isinstance(value, keras.Variable) or type(value).__name__ in ("ResourceVariable", "AggregatingVariable")


def variables(component):
    """[(path, variable)] of everything that `component` holds."""
    return [(path, value) for path, _, _, value in walk(component) if is_variable(value)]


def python_values(component):
    """{path: (holder, key, copy)} of the numbers, tensors, arrays and lists of such, which Python keeps and Keras does not."""
    found = {}
    for path, holder, key, value in walk(component):
        if isinstance(holder, (dict,)) and _is_plain(value):
            found[path] = holder, key, copied(value)
    return found


def copied(value):
    """A copy that later changes do not reach."""
    if isinstance(value, (list, tuple)):
        return [copied(part) for part in value]
    if isinstance(value, np.ndarray):
        return value.copy()
    if is_tensor(value):
        return keras.ops.convert_to_tensor(to_arrays(value))
    return value


def same(a, b):
    """Whether two plain values are equal."""
    if isinstance(a, (list, tuple)) or isinstance(b, (list, tuple)):
        both = isinstance(a, (list, tuple)) and isinstance(b, (list, tuple))
        return both and len(a) == len(b) and all(map(same, a, b))
    if is_tensor(a) or is_tensor(b) or isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        a, b = (np.asarray(keras.ops.convert_to_numpy(x)) for x in (a, b))
        return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f" and b.dtype.kind == "f"))
    return bool(a == b) or (a != a and b != b)


def shown(value):
    """A plain value, short."""
    if isinstance(value, (list, tuple)):
        return f"{len(value)} entries"
    if is_tensor(value) or isinstance(value, np.ndarray):
        return np.array2string(np.asarray(keras.ops.convert_to_numpy(value)), precision=4, threshold=4)
    return repr(value)


def _is_plain(value):
    if isinstance(value, (list, tuple)):
        return all(_is_plain(part) for part in value)
    if is_variable(value) or isinstance(value, bool):
        return False
    return isinstance(value, (int, float, np.ndarray, np.generic)) or is_tensor(value)
