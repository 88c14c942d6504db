"""How far two lists of arrays are apart."""

import numpy as np

# Of the largest number: sums of float32 in another order differ by less, faults by far more.
SAME = 1e-4


def gap(first, second):
    """The largest difference relative to the largest number; infinite for other shapes, or where only one is finite."""
    if [a.shape for a in first] != [b.shape for b in second]:
        return np.inf
    worst = 0.0
    for a, b in zip(first, second):
        if not a.size:
            continue
        if not (np.isfinite(a) == np.isfinite(b)).all():
            return np.inf
        known = np.isfinite(a)
        scale = max(np.abs(a[known]).max(initial=0.0), np.abs(b[known]).max(initial=0.0), 1e-6)
        worst = max(worst, np.abs(a[known] - b[known]).max(initial=0.0) / scale)
    return worst


def differ(first, second, tolerance=SAME):
    """Whether two lists of arrays are not the same numbers."""
    return gap(first, second) > tolerance


def where(first, second):
    """The two numbers that are farthest apart, as texts; the shapes if they differ."""
    if [a.shape for a in first] != [b.shape for b in second]:
        return tuple("shape " + ", ".join(map(str, (a.shape for a in arrays))) for arrays in (first, second))
    a, b = (np.concatenate([np.ravel(array) for array in arrays]) for arrays in (first, second))
    with np.errstate(invalid="ignore"):
        distance = np.where(np.isfinite(a) == np.isfinite(b), np.nan_to_num(np.abs(a - b)), np.inf)
    index = int(np.argmax(distance))
    return f"{a[index]:.5g}", f"{b[index]:.5g}"
