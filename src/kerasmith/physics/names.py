"""The names of coordinates and outputs, and of the derivatives made of them."""

from collections.abc import Sequence
from typing import Any

MAX_ORDER = 4


def checked_names(given: Any, count: int, what: str, of: str) -> tuple[str, ...]:
    """Names as a tuple: the letters of a string, or a list of strings.

    Args:
        given: what the user wrote.
        count: how many there have to be.
        what: name of the argument, for the errors.
        of: what is named, such as "inputs".

    Raises:
        TypeError: for anything else than texts.
        ValueError: for a name twice, an empty one, or another number of them.
    """
    names = tuple(given) if isinstance(given, (str, list, tuple)) else None
    if names is None or not all(isinstance(name, str) for name in names):
        raise TypeError(f"`{what}` must be a string of letters, such as 'xt', or a list of names. Received: {what}={given!r}")
    if len(set(names)) < len(names) or "" in names:
        raise ValueError(f"`{what}` must be different names, none of them empty. Received: {what}={given!r}")
    if len(names) != count:
        raise ValueError(
            f"`{what}` must name each of the {count} {of}, and names {len(names)}. Received: {what}={given!r}. "
            f"Write {what}={_example(of, count)}."
        )
    return names


def _example(of, count):
    letters = "xyzt" if of == "inputs" else "uvwp"
    if count <= len(letters):
        return repr(letters[:count] if of != "inputs" or count != 2 else "xt")
    return f"[{letters[0] + '1'!r}, ..., {letters[0] + str(count)!r}]"


def derivative_axes(which: str | Sequence[str], names: tuple[str, ...]) -> tuple[int, ...]:
    """The axes of a derivative in rising order: "tx" of names "xt" is (0, 1), and so is "xt".

    Args:
        which: a name, letters that are names, or a list of names.
        names: of the coordinates.

    Raises:
        ValueError: for another name, no name, or an order above four.
        TypeError: for another type.
    """
    if isinstance(which, str):
        parts = [which] if which in names else list(which)
    elif isinstance(which, (list, tuple)) and all(isinstance(part, str) for part in which):
        parts = list(which)
    else:
        raise TypeError(f"A derivative is named by a text, f.d('xx'), or a list of names. Received: {which!r}")
    if not parts or not set(parts) <= set(names):
        raise ValueError(f"There is no derivative {which!r}. {known_derivatives(names)}")
    if len(parts) > MAX_ORDER:
        raise ValueError(f"Derivatives go up to order {MAX_ORDER}. Received: {which!r}, of order {len(parts)}.")
    return tuple(sorted(names.index(part) for part in parts))


def known_derivatives(names: tuple[str, ...]) -> str:
    """A sentence with the derivatives that there are."""
    first, last = names[0], names[-1]
    if all(len(name) == 1 for name in names):
        examples = dict.fromkeys([*names, first * 2, first + last])
        written = ", ".join(f"f.d({example!r})" for example in examples)
    else:
        written = ", ".join([*(f"f.d({name!r})" for name in names), f"f.d(({first!r}, {last!r}))"])
    return f"The coordinates are {', '.join(map(repr, names))}; there are {written} and so on, up to order {MAX_ORDER}."
