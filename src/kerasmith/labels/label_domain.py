"""What labels may be: the values, and the text that answers others."""

import dataclasses
import math
from typing import Any

_ROUNDING = 1e-3  # of interpolated or smoothed labels in half precision


@dataclasses.dataclass(frozen=True)
class LabelDomain:
    """The values that labels may have; NaN is never one of them.

    Attributes:
        expected: a sentence that says what labels must be.
        advice: what to write instead; `{low}`, `{high}` and `{odd}` stand for the least, the largest and the wrong value.
        low, high: the bounds, inclusive.
        fractions: the text that answers fractions where only whole numbers are allowed, else "".
        of: the argument that holds them.
    """

    expected: str
    advice: str
    low: float = -math.inf
    high: float = math.inf
    fractions: str = ""
    of: str = "y_true"

    @property
    def template(self) -> str:
        """The text of the error, with `{low}`, `{high}` and `{odd}`."""
        return f"{self.expected} Received: values from {{low}} to {{high}}. {self.advice}"

    def complaint(self, low: Any, high: Any) -> str:
        """The text of the error for labels between two numbers, one of which is outside."""
        if math.isnan(low) or math.isnan(high):
            return f"{self.expected} Received: NaN. {self.general_advice}"
        texts = {name: str(int(x)) if float(x).is_integer() else f"{x:g}" for name, x in (("low", low), ("high", high))}
        return self.template.format(**texts, odd=texts["high" if low >= self.low else "low"])

    def answer(self, low: Any, high: Any, has_fractions: bool) -> str:
        """The text of the error for labels from `low` to `high`, NaN if one is; "" if all are inside."""
        if self.fractions and has_fractions and not math.isnan(low + high):
            return self.fractions
        return "" if low >= self.low and high <= self.high else self.complaint(low, high)

    @property
    def general_advice(self) -> str:
        """What to write instead, where the values are not known."""
        return self.advice.format(low="<value>", high="<value>", odd="<value>")


def class_id_domain(channels: int) -> LabelDomain:
    """Ids of classes, 0 to `channels` - 1."""
    return LabelDomain(
        f"Class ids must lie in 0..{channels - 1} for y_pred with {channels} channels.",
        "Pass `ignore_class={odd}` if that id means 'do not count', or give the last layer one channel for each class.",
        0,
        channels - 1,
        "y_true has one axis less than y_pred, so it was read as class ids, but it holds fractions. "
        "Pass one-hot (soft) labels in the shape of y_pred instead.",
    )


BINARY = LabelDomain(
    "A binary mask must hold 0 and 1, or probabilities between them.",
    "Write `y_true > 0` for a mask stored as 0 and {high}, or pass `ignore_class={odd}` if that value means 'do not count'.",
    -_ROUNDING,
    1 + _ROUNDING,
)
ONE_HOT = LabelDomain(
    "One-hot labels must hold 0 and 1, or probabilities between them.",
    "Write `y_true > 0` for labels stored as 0 and {high}. Pixels that do not count need class ids, (B, *spatial), and "
    "`ignore_class`.",
    -_ROUNDING,
    1 + _ROUNDING,
)
WEIGHTS = LabelDomain(
    "Weights must be numbers >= 0.",
    "Write 0 for what does not count, `abs(sample_weight)` for a sign that is not meant.",
    0,
    of="sample_weight",
)
PREDICTIONS = LabelDomain(
    "Predictions must be numbers, not NaN.",
    "Add `kerasmith.callbacks.NumericsGuard()` to `fit`, which names what first became NaN.",
    of="y_pred",
)
NUMBERS = LabelDomain("Class ids must be numbers.", "Leave samples without a class out of the batch.")
# From here on, two whole numbers are one in a dtype.
_FIRST_ROUNDED = {"float64": 2**53, "float32": 2**24, "float16": 2**11, "bfloat16": 2**8}
_NUMBERED = "Number them from 0: `np.unique(ids, return_inverse=True)[1].reshape(ids.shape)`."


def last_exact(dtype: str, otherwise: float = math.inf) -> float:
    """The largest whole number that no other one becomes in a dtype; `otherwise` for integers."""
    return _FIRST_ROUNDED[dtype] - 1 if dtype in _FIRST_ROUNDED else otherwise


def id_domain(dtype: str) -> LabelDomain:
    """Ids of any classes, as numbers of a dtype that tells them apart."""
    last = last_exact(dtype)
    if math.isinf(last):
        return NUMBERS
    expected = f"Class ids must be numbers, in {dtype} up to {last}: larger ones became one another."
    return LabelDomain(expected, f"Pass integers. {_NUMBERED}", -last, last)


def whole_id_domain(what: str, bits: int = 32, dtype: str = "") -> LabelDomain:
    """Ids of any classes or objects, as whole numbers of so many bits, that came in a dtype which tells them apart."""
    high = 2 ** (bits - 1) - 1
    last, whole = last_exact(dtype, high), f"{what} must be whole numbers"
    fractions = f"{whole}. Received: fractions. {_NUMBERED}"
    if last < high:
        expected = f"{whole}, in {dtype} up to {last}: larger ones became one another."
        low, high = -last, last
    else:
        expected = f"{whole}{' that fit into int32' if bits == 32 else ''}."
        low = -high - 1
    return LabelDomain(expected, _NUMBERED, low, high, fractions)
