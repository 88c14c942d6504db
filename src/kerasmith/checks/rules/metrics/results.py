"""What a metric says, as numbers by key, and when two of them differ."""

from collections.abc import Callable

import numpy as np

from kerasmith.checks.engine.comparison import RESULT, Tolerance, differ, farthest, gap


class Results:
    """The numbers of one `result()`.

    Attributes:
        values: {key: float64 array}; the key is "" for a metric that gives one value.
    """

    def __init__(self, values: dict[str, np.ndarray]) -> None:
        self.values = values

    @property
    def has_finite(self) -> bool:
        """Whether any number is one."""
        return any(np.isfinite(value).any() for value in self.values.values())

    def differs(self, other: "Results", tolerance: Tolerance = RESULT) -> bool:
        """Whether another result is another number: beyond rounding, or a number against NaN."""
        return differ(self.values, other.values, tolerance)

    def difference(self, other: "Results", tolerance: Tolerance = RESULT) -> tuple[str, str] | None:
        """("key value", "key value") of the largest difference, None if there is none."""
        if not self.differs(other, tolerance):
            return None
        if self.values.keys() != other.values.keys():
            return f"keys {list(self.values)}", f"keys {list(other.values)}"
        apart = [key for key, mine in self.values.items() if differ(mine, other.values[key], tolerance)]
        key = max(apart, key=lambda key: gap(self.values[key], other.values[key]))
        mine, theirs = self.values[key], other.values[key]
        if mine.shape != theirs.shape:
            return f"shape {mine.shape}", f"shape {theirs.shape}"
        texts = farthest(mine, theirs, digits=6)
        return tuple(f"{key} = {text}" if key else text for text in texts)

    def keys_where(self, true: Callable[[np.ndarray], bool]) -> list[str]:
        """The keys of which `true(array)` holds."""
        return [key for key, value in self.values.items() if true(value)]

    def __str__(self) -> str:
        texts = [_text(key, value) for key, value in self.values.items()]
        return ", ".join(texts[:4]) + (", ..." if len(texts) > 4 else "")


def _text(key: str, value: np.ndarray) -> str:
    text = np.array2string(value, precision=4, threshold=6) if value.ndim else f"{value.item():.6g}"
    return f"{key} = {text}" if key else text
