"""How far two results are apart, and how a finding writes them."""

import numpy as np

# Float32 sums agree to about 1e-6 of the largest value; faults are off by more than a percent.
TOLERANCE = 1e-4


def gap(a, b):
    """The largest difference, relative to the largest value; inf where only one of them is finite or the shapes differ."""
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    if a.shape != b.shape or not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return np.inf
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    if not a.size:
        return 0.0
    return float(np.max(np.abs(a - b)) / max(np.max(np.abs(a)), np.max(np.abs(b)), 1e-12))


def differ(a, b, tolerance=TOLERANCE):
    """Whether two results are not the same."""
    return gap(a, b) > tolerance


def shown(value, most=4):
    """A number or the first numbers of an array as text."""
    array = np.asarray(value, "float64")
    if array.ndim == 0:
        return f"{float(array):.4g}"
    flat = array.reshape(-1)
    return "[" + ", ".join(f"{number:.4g}" for number in flat[:most]) + (", ..." if flat.size > most else "") + "]"
