"""Numbers, durations and plain values as a reader wants to see them."""

import math
import numbers as abstract
from typing import Any


def format_number(value: Any, digits: int = 4) -> str:
    """A number with about `digits` significant digits; integers in full with commas, other values as text.

    >>> format_number(0.94876), format_number(276_481), format_number(1.5e-05), format_number(float("nan"))
    ('0.9488', '276,481', '1.5e-05', 'NaN')
    """
    if value is None:
        return "–"
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
        return "yes" if value else "no"
    if not isinstance(value, abstract.Real):
        return str(value)
    if isinstance(value, abstract.Integral):
        return f"{int(value):,}"
    value = float(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if exponent < -4 or exponent >= 7:
        mantissa, power = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{power}"
    # Between 0.1 and 10 the same number of decimals, so that 0.9988 and 1.0000 stand well under each other.
    decimals = max(digits, 2 - exponent)
    if exponent >= digits - 1:
        decimals = 1 if exponent < digits and value != round(value) else 0
    elif exponent >= 1:
        decimals = digits - 1 - exponent
    return f"{value:,.{decimals}f}"


def format_duration(seconds: float | None) -> str:
    """Seconds as `4.2 s`, `3 min 05 s` or `2 h 07 min`.

    >>> format_duration(4.21), format_duration(185), format_duration(7620)
    ('4.2 s', '3 min 05 s', '2 h 07 min')
    """
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
