"""Two runs on the same held-out cases: the mean difference and how far it can be trusted."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

_SAMPLES = 2000
_NOT_SCORES = ("case", "digest")


class NotPaired(ValueError):
    """The cases of two runs are not the same ones."""


@dataclasses.dataclass(frozen=True)
class Difference:
    """How much better the second run is than the first, on average over the cases.

    Attributes:
        mean: of the differences, second - first.
        low, high: the interval that holds 95 % of the means of resampled cases.
        cases: how many have both numbers.
    """

    mean: float
    low: float
    high: float
    cases: int

    def sentence(self, first: str, second: str, direction: str | None) -> str:
        """ "B better by .012, .004 to .019", or that there is no clear difference.

        >>> Difference(0.012, 0.004, 0.019, 40).sentence("A", "B", "max")
        'B better by .012, .004 to .019'
        >>> Difference(0.012, 0.004, 0.019, 40).sentence("A", "B", "min")
        'A better by .012, .004 to .019'
        """
        if self.low <= 0 <= self.high:
            return f"no clear difference: {_number(self.mean)}, {_number(self.low)} to {_number(self.high)}"
        low, high = sorted((abs(self.low), abs(self.high)))
        size = f"by {_number(abs(self.mean))}, {_number(low)} to {_number(high)}"
        if direction is None:
            return f"{second} {'higher' if self.mean > 0 else 'lower'} {size}"
        return f"{second if (self.mean > 0) == (direction == 'max') else first} better {size}"


def differences(
    first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]], seed: int = 0
) -> dict[str, Difference]:
    """{score: `Difference`} of the rows of two `cases.csv`.

    A paired bootstrap: cases are drawn with replacement, the same ones for both runs, 2,000 times.

    Args:
        first, second: {"case", "digest", scores} of each case, in any order.
        seed: of the draws.

    Raises:
        NotPaired: if the cases or their data differ; says how.

    Example:

    >>> a = [{"case": str(i), "dice": 0.8} for i in range(9)]
    >>> b = [{"case": str(i), "dice": 0.9 + 0.01 * (i % 2)} for i in range(9)]
    >>> differences(a, b)["dice"].low > 0.09
    True
    """
    rows, others = ({row["case"]: row for row in rows} for rows in (first, second))
    _check_same(rows, others)
    names = [name for name in dict.fromkeys(n for row in first for n in row) if name not in _NOT_SCORES]
    found = {}
    for name in names:
        pairs = [(row.get(name), others[case].get(name)) for case, row in rows.items()]
        numbers = np.array([pair for pair in pairs if None not in pair], float).reshape(-1, 2)
        numbers = numbers[np.isfinite(numbers).all(axis=1)]
        if len(numbers) > 1:
            change = numbers[:, 1] - numbers[:, 0]
            draw = np.random.default_rng(seed).integers(0, len(change), (_SAMPLES, len(change)))
            low, high = np.percentile(change[draw].mean(axis=1), (2.5, 97.5))
            found[name] = Difference(float(change.mean()), float(low), float(high), len(change))
    return found


def _check_same(rows: Mapping[str, Any], others: Mapping[str, Any]) -> None:
    missing, further = [c for c in rows if c not in others], [c for c in others if c not in rows]
    if missing or further:
        listed = ", ".join([*missing, *further][:3])
        raise NotPaired(
            f"other held-out cases: {len(missing)} only in the first, {len(further)} only in the second ({listed})"
        )
    changed = [case for case, row in rows.items() if row.get("digest") != others[case].get("digest")]
    if changed:
        raise NotPaired(f"other data in {len(changed)} of {len(rows)} cases ({', '.join(changed[:3])})")


def _number(value: float) -> str:
    """Three decimals without the zero before the point; three digits of small and large ones.

    >>> _number(0.0123), _number(-0.5), _number(0.00012), _number(12.34)
    ('.012', '−.500', '.00012', '12.3')
    """
    size = abs(value)
    text = f"{size:.3f}" if 0.001 <= size < 10 or size == 0 else f"{size:.3g}"
    return ("−" if value < 0 else "") + (text[1:] if text.startswith("0.") else text)
