"""When two components, or two entries of a config, count as the same."""

import inspect

import numpy as np

from kerasmith.checks.engine.lazy_keras import is_tensor, keras, ops

# Relative to the largest number: float32 sums in another order differ by less.
TOLERANCE = 1e-4


def numbers_differ(first, second):
    """Whether two lists of arrays differ, NaN being equal to NaN."""
    if len(first) != len(second) or any(np.shape(a) != np.shape(b) for a, b in zip(first, second)):
        return True
    return any(not _close(np.asarray(a, "float64"), np.asarray(b, "float64")) for a, b in zip(first, second))


def shown(outputs):
    """The first numbers of a list of arrays, as text."""
    parts = [", ".join(f"{value:.6g}" for value in np.ravel(array)[:3]) for array in outputs[:2]]
    shapes = " and ".join(str(list(np.shape(array))) for array in outputs[:2])
    return f"{' | '.join(parts)} (shape {shapes})"


def same(first, second):
    """Whether two values are equal; what cannot be compared counts as equal, so that a doubt is no finding."""
    if first is second:
        return True
    if isinstance(first, dict) and isinstance(second, dict):
        return list(map(str, first)) == list(map(str, second)) and all(same(first[k], second[k]) for k in first if k in second)
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    if _is_array(first) or _is_array(second):
        return _same_arrays(first, second)
    if inspect.isroutine(first) or inspect.isclass(first):
        return getattr(first, "__qualname__", None) == getattr(second, "__qualname__", None)
    if hasattr(first, "get_config"):
        return type(first) is type(second)
    if type(first).__eq__ is object.__eq__:
        return True
    try:
        return bool(first == second) or (first != first and second != second)
    except Exception:
        return True


def copied(value):
    """A copy of a config whose lists and dicts are its own; leaves stay the same objects."""
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(copied(part) for part in value)
    return value


def _close(first, second):
    finite = np.isfinite(first) & np.isfinite(second)
    if not np.array_equal(first[~finite], second[~finite], equal_nan=True):
        return False
    largest = max(np.max(np.abs(first[finite]), initial=0.0), 1e-6)
    return bool(np.all(np.abs(first[finite] - second[finite]) <= TOLERANCE * largest))


def _is_array(value):
    return isinstance(value, (np.ndarray, keras.Variable)) or is_tensor(value)


def _same_arrays(first, second):
    try:
        first, second = (
            np.asarray(ops.convert_to_numpy(ops.convert_to_tensor(value)), "float64") for value in (first, second)
        )
        return not numbers_differ([first], [second])
    except Exception:
        return True
