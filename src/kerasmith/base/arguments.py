"""Checks of constructor arguments: what was expected, what came."""

import math
import numbers
from collections.abc import Sequence
from typing import Any


def check_choice(name: str, value: Any, choices: Sequence[Any]) -> None:
    """Raises ValueError unless `value` is one of `choices`."""
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {', '.join(map(repr, choices))}. Received: {name}={value!r}")


def check_number(
    name: str,
    value: Any,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> None:
    """Raises TypeError or ValueError unless `value` is a finite number within the bounds (`above`, `below`: exclusive)."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"`{name}` must be a number. Received: {name}={value!r} of type {type(value).__name__}")
    bounds = (
        [f">= {minimum}"] * (minimum is not None)
        + [f"> {above}"] * (above is not None)
        + [f"<= {maximum}"] * (maximum is not None)
        + [f"< {below}"] * (below is not None)
    )
    outside = (
        not math.isfinite(value)
        or (minimum is not None and value < minimum)
        or (above is not None and value <= above)
        or (maximum is not None and value > maximum)
        or (below is not None and value >= below)
    )
    if outside:
        raise ValueError(
            f"`{name}` must be finite{' and ' if bounds else ''}{' and '.join(bounds)}. Received: {name}={value!r}"
        )


def check_integer(name: str, value: Any, *, minimum: int) -> None:
    """Raises TypeError or ValueError unless `value` is a whole number of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"`{name}` must be a whole number. Received: {name}={value!r} of type {type(value).__name__}")
    check_number(name, value, minimum=minimum)


def check_config(config: Any) -> None:
    """Raises ValueError unless `config`, the configuration of a run, is a dict or None."""
    if config is not None and not isinstance(config, dict):
        raise ValueError(f'`config` must be a dict, such as {{"seed": 7}}. Received: config={config!r}')


def check_weights(name: str, value: Any) -> None:
    """Raises TypeError or ValueError unless `value` is None or a list of finite numbers >= 0, not all 0."""
    if value is None:
        return
    if isinstance(value, (str, bytes, dict)) or not hasattr(value, "__len__"):
        raise TypeError(f"`{name}` must be a list of numbers, one per class. Received: {name}={value!r}")
    for i, number in enumerate(value):
        check_number(f"{name}[{i}]", float(number), minimum=0)
    if sum(map(float, value)) <= 0:
        raise ValueError(f"`{name}` must hold at least one number above 0. Received: {name}={value!r}")


def check_window(window: Any, sigma: Any) -> None:
    """Raises TypeError or ValueError unless `window` is an odd number >= 1 and `sigma` a number > 0, or lists of such."""
    for i, size in enumerate(window if hasattr(window, "__len__") else [window]):
        check_integer("window" if size is window else f"window[{i}]", size, minimum=1)
        if size % 2 == 0:
            raise ValueError(f"`window` must be odd, so that it has a middle. Received: window={window!r}")
    for i, deviation in enumerate(sigma if hasattr(sigma, "__len__") else [sigma]):
        check_number("sigma" if deviation is sigma else f"sigma[{i}]", deviation, above=0)
