"""The variables, layers and plain state that a loss holds."""

import inspect

import numpy as np

from kerasmith.checks.engine.lazy_keras import keras, ops

_DEEPEST = 3


def owned(loss):
    """([variable], [layer]) that are reachable from the attributes of a loss, or from what a function holds.

    Metrics and their variables are left out: they show a loss, they do not make it.
    """
    variables, layers, seen = [], [], set()

    def visit(value, depth):
        if depth > _DEEPEST or id(value) in seen:
            return
        seen.add(id(value))
        if isinstance(value, keras.Variable):
            variables.append(value)
        elif isinstance(value, keras.metrics.Metric):
            return
        elif isinstance(value, keras.layers.Layer):
            layers.append(value)
        elif isinstance(value, keras.random.SeedGenerator):
            variables.append(value.state)
        elif isinstance(value, dict):
            for part in value.values():
                visit(part, depth + 1)
        elif isinstance(value, (list, tuple, set)):
            for part in value:
                visit(part, depth + 1)
        elif isinstance(value, keras.losses.Loss):
            visit(vars(value), depth)
        elif inspect.isfunction(value):
            visit([cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell)], depth + 1)

    visit(loss, 0)
    return variables, layers


def plain_state(loss):
    """{name: value} of the numbers, texts, arrays and collections that a loss, or a function, keeps in Python."""
    holder = loss
    function = getattr(loss, "fn", None) if inspect.isfunction(getattr(loss, "fn", None)) else None
    state = {name: _plain(value, 0) for name, value in vars(holder).items() if name != "reduction"}
    if function is not None:
        cells = zip(function.__code__.co_freevars, function.__closure__ or ())
        state |= {name: _plain(cell.cell_contents, 0) for name, cell in cells if _is_filled(cell)}
        state |= {f"{function.__name__}.{name}": _plain(value, 0) for name, value in vars(function).items()}
        named = {name: function.__globals__.get(name) for name in function.__code__.co_names}
        state |= {name: _plain(value, 0) for name, value in named.items() if isinstance(value, (bool, int, float, list, dict))}
    return state


def _plain(value, depth):
    """A copy that can be compared; None for what is neither a number, text, array nor a collection of them."""
    if isinstance(value, (bool, int, float, str)) or value is None:
        return value
    if isinstance(value, keras.Variable):
        return None
    if isinstance(value, (np.ndarray, np.generic)) or ops.is_tensor(value):
        return ("array", np.array(ops.convert_to_numpy(value)).tolist())
    if depth < _DEEPEST and isinstance(value, dict):
        return {str(key): _plain(part, depth + 1) for key, part in value.items()}
    if depth < _DEEPEST and isinstance(value, (list, tuple, set)) and len(value) < 1000:
        return [_plain(part, depth + 1) for part in value]
    return None


def _is_filled(cell):
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True
