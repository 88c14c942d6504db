"""When results count as the same numbers, and values as the same values; how a finding writes them."""

import inspect
from typing import Any, NamedTuple

import numpy as np

from kerasmith.checks.engine.lazy_keras import is_tensor, keras, ops


class Tolerance(NamedTuple):
    """How far two numbers may be apart: `relative` times the largest number of their array, plus `absolute`."""

    relative: float
    absolute: float


EXACT = Tolerance(0.0, 0.0)
# The same operations on the same numbers once more.
REPEATED = Tolerance(1e-6, 1e-12)
# What is printed, logged or assigned in two trainings.
ROUNDED = Tolerance(1e-5, 1e-7)
# Sums of float32 in another order; faults are off by more than a percent.
SUMMED = Tolerance(1e-4, 1e-10)
# Fused, compiled, or over other axes first.
REARRANGED = Tolerance(1e-3, 1e-9)
# Results of a metric: quotients of sums.
RESULT = Tolerance(1e-3, 1e-5)
# Each backend has its own exponentials and sums; another definition is off by far more.
BACKENDS = Tolerance(2e-3, 2e-6)
# A difference that a fault would make: an input without one shows nothing.
CLEAR = Tolerance(1e-2, 1e-5)
# float16 knows three digits.
HALF = Tolerance(2e-2, 1e-5)


def gap(first: Any, second: Any) -> float:
    """The largest difference of two arrays, or lists or dicts of arrays, relative to the largest number.

    Infinite for other shapes and where only one is a number; NaN is equal to NaN.
    """
    return _excess(first, second, Tolerance(1.0, 1e-9))


def differ(first: Any, second: Any, tolerance: Tolerance = SUMMED) -> bool:
    """Whether two arrays, or lists or dicts of arrays, are not the same numbers."""
    return _excess(first, second, tolerance) > 1.0


def farthest(first: Any, second: Any, digits: int = 5) -> tuple[str, str]:
    """The two numbers that are farthest apart, as texts; the shapes if they differ."""
    first, second = (arrays if isinstance(arrays, list) else [arrays] for arrays in (first, second))
    if [np.shape(a) for a in first] != [np.shape(b) for b in second]:
        return tuple("shape " + ", ".join(str(np.shape(array)) for array in arrays) for arrays in (first, second))
    a, b = (np.concatenate([np.ravel(array) for array in arrays]).astype("float64") for arrays in (first, second))
    index = int(np.argmax(_distance(a, b)))
    return f"{a[index]:.{digits}g}", f"{b[index]:.{digits}g}"


def same(first: Any, second: Any, tolerance: Tolerance = ROUNDED, doubt: bool = False) -> bool:
    """Whether two values of Python are equal, numbers up to a tolerance.

    Args:
        first, second: numbers, texts, arrays, tensors, lists and dicts of them, or objects.
        tolerance: of numbers.
        doubt: the answer where they cannot be compared; with True functions and objects of one name or class are equal, too.
    """
    if first is second:
        return True
    if isinstance(first, dict) and isinstance(second, dict):
        if list(map(str, first)) != list(map(str, second)) and (doubt or first.keys() != second.keys()):
            return False
        return all(same(value, second[key], tolerance, doubt) for key, value in first.items() if key in second)
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(same(a, b, tolerance, doubt) for a, b in zip(first, second))
    if _is_array(first) or _is_array(second) or (_is_number(first) and _is_number(second)):
        try:
            return not differ(_as_array(first), _as_array(second), tolerance)
        except Exception:
            return doubt
    if doubt:
        if inspect.isroutine(first) or inspect.isclass(first):
            return getattr(first, "__qualname__", None) == getattr(second, "__qualname__", None)
        if hasattr(first, "get_config"):
            return type(first) is type(second)
        if type(first).__eq__ is object.__eq__:
            return True
    try:
        return bool(first == second)
    except Exception:
        return doubt


def same_setting(first: Any, second: Any) -> bool:
    """Whether two entries of a config are equal; what cannot be compared is, so that a doubt is no finding."""
    return same(first, second, SUMMED, doubt=True)


def copied(value: Any) -> Any:
    """A copy whose lists, dicts, arrays and tensors are its own; other leaves stay the same objects."""
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(copied(part) for part in value)
    if isinstance(value, list):
        return [copied(part) for part in value]
    if isinstance(value, np.ndarray):
        return value.copy()
    if is_tensor(value) and not isinstance(value, keras.Variable):
        return ops.convert_to_tensor(np.array(ops.convert_to_numpy(value)))
    return value


def format_numbers(value: Any, most: int = 4) -> str:
    """A number, or the first numbers of an array."""
    array = np.asarray(value, "float64")
    if array.ndim == 0:
        return f"{float(array):.4g}"
    flat = array.reshape(-1)
    return "[" + ", ".join(f"{number:.4g}" for number in flat[:most]) + (", ..." if flat.size > most else "") + "]"


def format_outputs(outputs: list[np.ndarray]) -> str:
    """The first numbers of a list of arrays, and their shapes."""
    parts = [", ".join(f"{value:.6g}" for value in np.ravel(array)[:3]) for array in outputs[:2]]
    shapes = " and ".join(str(list(np.shape(array))) for array in outputs[:2])
    return f"{' | '.join(parts)} (shape {shapes})"


def format_value(value: Any, most: int = 60) -> str:
    """A value of Python, short."""
    if isinstance(value, (list, tuple)) and len(value) > 3:
        return f"{len(value)} entries"
    if _is_array(value):
        return np.array2string(np.asarray(_as_array(value)), precision=4, threshold=4)
    text = repr(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _excess(first: Any, second: Any, tolerance: Tolerance) -> float:
    """How many times the tolerance the largest difference is."""
    if isinstance(first, dict) and isinstance(second, dict):
        if first.keys() != second.keys():
            return np.inf
        return max((_excess(first[key], second[key], tolerance) for key in first), default=0.0)
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        if len(first) != len(second):
            return np.inf
        return max((_excess(a, b, tolerance) for a, b in zip(first, second)), default=0.0)
    a, b = np.asarray(first, "float64"), np.asarray(second, "float64")
    if a.shape != b.shape:
        return np.inf
    worst = float(np.max(_distance(a, b), initial=0.0))
    if worst == 0.0 or worst == np.inf:
        return worst
    largest = max(float(np.max(np.abs(array[np.isfinite(array)]), initial=0.0)) for array in (a, b))
    allowed = tolerance.relative * largest + tolerance.absolute
    return worst / allowed if allowed else np.inf


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        distance = np.abs(a - b)
    distance = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, distance)
    return np.where(np.isfinite(a) & np.isfinite(b) | (distance == 0.0), distance, np.inf)


def _is_number(value: Any) -> bool:
    return isinstance(value, (bool, int, float, np.generic)) and np.asarray(value).dtype.kind in "biuf"


def _is_array(value: Any) -> bool:
    return isinstance(value, (np.ndarray, keras.Variable)) or is_tensor(value)


def _as_array(value: Any) -> np.ndarray:
    if isinstance(value, np.ndarray) or not _is_array(value):
        return np.asarray(value)
    return np.asarray(ops.convert_to_numpy(value))
