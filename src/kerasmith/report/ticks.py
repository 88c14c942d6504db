"""Round positions for the ticks of an axis."""

import math
from collections.abc import Sequence

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def linear_ticks(low: float, high: float, count: int = 5, whole: bool = False) -> tuple[list[float], list[str]]:
    """Multiples of 1, 2 or 5 times a power of ten inside [low, high], about `count` of them.

    Args:
        low, high: the ends of the axis, low < high.
        count: how many ticks there should be, about.
        whole: integers only (epochs).

    Returns:
        A pair (positions, labels).

    >>> linear_ticks(0.0, 1.0)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], ['0.0', '0.2', '0.4', '0.6', '0.8', '1.0'])
    """
    power = 10.0 ** math.floor(math.log10((high - low) / count))
    step = min((m * power for m in (1, 2, 5, 10)), key=lambda step: abs((high - low) / step + 1 - count))
    if whole:
        step = max(1.0, round(step))
    # In units of the step, so that 3 * 0.1 cannot become 0.30000000000000004.
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    positions = [round(i * step, decimals + 2) for i in range(first, last + 1)]
    largest = max((abs(p) for p in positions), default=0.0)
    if decimals > 5 or largest >= 1e6:
        return positions, [f"{p:.3g}" for p in positions]
    return positions, [f"{p:.{decimals}f}" for p in positions]


def log_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """Powers of ten inside [low, high]; 1-2-5 between them when there are few, round linear ones inside one decade.

    >>> log_ticks(1e-5, 1e-2)[1]
    ['10⁻⁵', '10⁻⁴', '10⁻³', '10⁻²']
    """
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    decades = list(range(first, last + 1))
    if len(decades) >= 3:
        labelled = decades[:: math.ceil(len(decades) / 7)]
        return [10.0**k for k in labelled], [f"10{str(k).translate(_SUPERSCRIPT)}" for k in labelled]
    positions = [m * 10.0**k for k in range(first - 1, last + 2) for m in (1, 2, 5)]
    positions = [p for p in positions if low * (1 - 1e-9) <= p <= high * (1 + 1e-9)]
    if len(positions) < 3:
        positions, labels = linear_ticks(low, high)
        return _positive(positions, labels)
    return positions, [_short(p) for p in positions]


def _short(value: float) -> str:
    return f"{value:g}" if 1e-3 <= value < 1e5 else f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")


def _positive(positions: Sequence[float], labels: Sequence[str]) -> tuple[list[float], list[str]]:
    above = [(p, label) for p, label in zip(positions, labels, strict=True) if p > 0]
    return [p for p, _ in above], [label for _, label in above]
