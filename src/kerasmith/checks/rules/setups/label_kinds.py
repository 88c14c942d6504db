"""What kind of labels an array holds, and which last layer and loss go with them."""

import numpy as np

_MOST_CLASSES = 1000


def kind_of_labels(y: np.ndarray) -> str:
    """What the labels are, by their values.

    "binary" (0 and 1), "signs" (-1 and 1), "pixels" (0 and 255), "ids" (whole numbers of few classes), "rows" (that sum to 1),
    "shares" (0 to 1), or "numbers".

    Args:
        y: labels of numbers.
    """
    values = np.unique(y[np.isfinite(y)]) if y.dtype.kind == "f" else np.unique(y)
    if values.size == 0:
        return "numbers"
    if set(values.tolist()) <= {0, 1}:
        rows = y.ndim > 1 and y.shape[-1] > 1 and bool(np.all(y.sum(axis=-1) == 1))
        return "rows" if rows else "binary"
    if set(values.tolist()) == {-1, 1}:
        return "signs"
    if set(values.tolist()) == {0, 255}:
        return "pixels"
    if values[0] >= 0 and values[-1] <= 1:
        rows = y.ndim > 1 and y.shape[-1] > 1 and np.all(np.abs(y.sum(axis=-1) - 1) < 1e-3)
        return "rows" if rows else "shares"
    whole = bool(np.all(values == np.round(values)))
    few = values.size <= min(_MOST_CLASSES, max(20, len(y) // 4))
    return "ids" if whole and values[0] >= 0 and few else "numbers"


def head_for(y: np.ndarray, units: int | None) -> str:
    """What the last layer and the loss should be for these labels, as code.

    Args:
        y: the labels.
        units: of the last layer now.
    """
    kind = kind_of_labels(y)
    columns = y.shape[-1] if y.ndim > 1 else 1
    if kind == "rows":
        return f'`Dense({columns}, activation="softmax")` and `loss="categorical_crossentropy"`'
    if kind in ("binary", "shares"):
        return f'`Dense({columns}, activation="sigmoid")` and `loss="binary_crossentropy"`'
    if kind == "signs":
        return f'`y = (y + 1) / 2`, `Dense({columns}, activation="sigmoid")` and `loss="binary_crossentropy"`'
    if kind == "pixels":
        return f'`y = y / 255`, `Dense({columns}, activation="sigmoid")` and `loss="binary_crossentropy"`'
    if kind == "ids" and columns == 1:
        classes = int(y.max()) + 1
        return f'`Dense({classes}, activation="softmax")` and `loss="sparse_categorical_crossentropy"`'
    return f'`Dense({columns})` without an activation and `loss="mse"`'


def values_text(y: np.ndarray) -> str:
    """Which values labels hold: all of few, else from the lowest to the highest."""
    values = np.unique(y[np.isfinite(y)]) if y.dtype.kind == "f" else np.unique(y)
    if values.size == 0:
        return "no finite number"
    if values.size <= 6:
        return ", ".join(f"{value:.4g}" for value in values.tolist())
    return f"{values[0]:.4g} to {values[-1]:.4g} ({values.size} different values)"
