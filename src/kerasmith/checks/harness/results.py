"""What a metric says, as numbers by key, and when two of them differ."""

import numpy as np

# Float32 sums in another order differ by less, a fault by far more.
RELATIVE, ABSOLUTE = 1e-3, 1e-5


class Results:
    """The numbers of one `result()`.

    Attributes:
        values: {key: float64 array}; the key is "" for a metric that gives one value.
    """

    def __init__(self, values):
        self.values = values

    @property
    def has_finite(self):
        return any(np.isfinite(value).any() for value in self.values.values())

    def differs(self, other, relative=RELATIVE):
        """Whether another result is another number: beyond rounding, or a number against NaN."""
        return self.difference(other, relative) is not None

    def difference(self, other, relative=RELATIVE):
        """("key value", "key value") of the largest difference, None if there is none."""
        if self.values.keys() != other.values.keys():
            return f"keys {list(self.values)}", f"keys {list(other.values)}"
        worst, texts = 0, None
        for key, mine in self.values.items():
            theirs = other.values[key]
            if mine.shape != theirs.shape:
                return f"shape {mine.shape}", f"shape {theirs.shape}"
            for a, b in zip(mine.ravel(), theirs.ravel()):
                if a == b or (np.isnan(a) and np.isnan(b)):
                    continue
                gap = abs(a - b) / (relative * max(abs(a), abs(b)) + ABSOLUTE) if np.isfinite(a) and np.isfinite(b) else np.inf
                if gap > max(1, worst):
                    worst, texts = gap, (_text(key, a), _text(key, b))
        return texts

    def keys_where(self, true):
        """The keys of which `true(array)` holds."""
        return [key for key, value in self.values.items() if true(value)]

    def __str__(self):
        shown = [_text(key, value if value.ndim else value.item()) for key, value in self.values.items()]
        return ", ".join(shown[:4]) + (", ..." if len(shown) > 4 else "")


def _text(key, value):
    value = np.array2string(np.asarray(value), precision=4, threshold=6) if np.ndim(value) else f"{value:.6g}"
    return f"{key} = {value}" if key else value
