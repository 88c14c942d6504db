"""Configuration and results as plain data: JSON, and one cell of a table."""

import json
import math
import numbers
from typing import Any

import numpy as np


def json_text(value: Any) -> str:
    """Strict JSON of plain data: what is not finite becomes null, an unknown object its text.

    >>> json_text({"loss": float("nan"), "shape": (2, np.int64(3))}).split()
    ['{', '"loss":', 'null,', '"shape":', '[', '2,', '3', ']', '}']
    """
    return json.dumps(plain(value), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def plain(value: Any) -> Any:
    """`value` as dicts, lists, str, bool, int, float or None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(value) else None
    return str(value)


def flat_text(value: Any) -> str | int | float | None:
    """A configuration value as one cell of a table: numbers as they are, anything else as text."""
    if isinstance(value, (str, int, float)) or value is None:
        return value
    return ", ".join(f"{k}: {flat_text(v)}" for k, v in value.items()) if isinstance(value, dict) else str(plain(value))
