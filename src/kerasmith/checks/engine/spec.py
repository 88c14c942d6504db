"""Inputs written as text: `float32[4,16,16,1](0,1)`, `int32[4]{0,9}`."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kerasmith.checks.engine.finding import CannotCheck

_PATTERN = re.compile(
    r"(?P<dtype>[a-z]+\d*)\s*\[(?P<shape>[\d,\s]*)\]\s*"
    r"(?:\((?P<low>[^,()]+),(?P<high>[^,()]+)\)|\{(?P<first>[^,{}]+),(?P<last>[^,{}]+)\}|(?P<kind>simplex|onehot))?"
)


class Spec(NamedTuple):
    """One array of the inputs.

    Attributes:
        dtype: name of the type.
        shape: with the batch first.
        domain: ("interval", low, high), ("integers", first, last) with both ends, ("simplex",) rows of the last axis that sum
            to 1, ("onehot",), or None: standard normal numbers, or booleans.
    """

    dtype: str
    shape: tuple[int, ...]
    domain: tuple[Any, ...] | None = None

    def __str__(self) -> str:
        shape = ",".join(map(str, self.shape))
        end = ""
        if self.domain is not None:
            kind, *ends = self.domain
            form = {"interval": "({:g},{:g})", "integers": "{{{:g},{:g}}}", "simplex": "simplex", "onehot": "onehot"}[kind]
            end = form.format(*ends)
        return f"{self.dtype}[{shape}]{end}"

    def with_batch(self, size: int) -> "Spec":
        """The same with another number of samples."""
        return self._replace(shape=(size, *self.shape[1:]))

    def code(self, seed: int) -> str:
        """A Python expression with NumPy as `np` that draws the array: what a reproducer shows is what was computed."""
        rng, shape = f"np.random.default_rng({seed})", self.shape
        kind, *ends = self.domain or ("bool" if self.dtype == "bool" else "normal",)
        if kind == "bool":
            return f"{rng}.random({shape}) < 0.5"
        if kind == "normal":
            return f'{rng}.normal(size={shape}).astype("{self.dtype}")'
        if kind == "interval":
            # Not the ends themselves: a logarithm there is a question of its own.
            low, high = (ends[0] + share * (ends[1] - ends[0]) for share in (0.02, 0.98))
            return f'{rng}.uniform({low:g}, {high:g}, {shape}).astype("{self.dtype}")'
        if kind == "integers":
            return f'{rng}.integers({ends[0]:g}, {ends[1] + 1:g}, {shape}).astype("{self.dtype}")'
        classes, rows = shape[-1], shape[:-1]
        if kind == "onehot":
            return f'np.eye({classes})[{rng}.integers(0, {classes}, {rows})].astype("{self.dtype}")'
        return f'{rng}.dirichlet(np.ones({classes}), {rows}).astype("{self.dtype}")'

    def draw(self, seed: int) -> np.ndarray:
        """An array of this kind, the same for the same seed."""
        return eval(self.code(seed), {"np": np})


def leaf_specs(specs: Any) -> list[Spec]:
    """The `Spec`s of nested lists and dicts."""
    if isinstance(specs, dict):
        return [leaf for part in specs.values() for leaf in leaf_specs(part)]
    return [leaf for part in specs for leaf in leaf_specs(part)] if isinstance(specs, list) else [specs]


def map_specs(function: Callable[[Any], Any], specs: Any) -> Any:
    """`function` of each leaf of nested lists and dicts; tuples become lists."""
    if isinstance(specs, dict):
        return {key: map_specs(function, part) for key, part in specs.items()}
    if isinstance(specs, (list, tuple)) and not isinstance(specs, Spec):
        return [map_specs(function, part) for part in specs]
    return function(specs)


def parse(text: Any) -> Spec:
    """The `Spec` of a text, of an array (a description of its values), or of a `Spec`.

    Raises:
        CannotCheck: with an example of what is understood.

    Example:

    >>> parse("float32[4,16,16,1](0,1)")
    Spec(dtype='float32', shape=(4, 16, 16, 1), domain=('interval', 0.0, 1.0))
    >>> str(parse("int32[4]{0,9}"))
    'int32[4]{0,9}'
    """
    if isinstance(text, Spec):
        return text
    if not isinstance(text, str) and hasattr(text, "shape"):
        return _described(np.asarray(text))
    match = _PATTERN.fullmatch(text.strip()) if isinstance(text, str) else None
    try:
        if match is None:
            raise ValueError
        np.dtype(match["dtype"])
        shape = tuple(int(size) for size in match["shape"].split(",") if size.strip())
        if not shape or min(shape) < 1:
            raise ValueError
        domain = None
        if match["low"] is not None:
            domain = ("interval", float(match["low"]), float(match["high"]))
        elif match["first"] is not None:
            domain = ("integers", int(match["first"]), int(match["last"]))
        elif match["kind"]:
            domain = (match["kind"],)
        if domain and len(domain) == 3 and not domain[1] < domain[2]:
            raise ValueError
    except (ValueError, TypeError):
        raise CannotCheck(
            "An input is written as type[shape](low,high), type[shape]{first,last}, type[shape]simplex or type[shape]onehot, "
            f'such as "float32[4,16,16,1](0,1)" or "int32[4]{{0,9}}". Received: {text!r}'
        ) from None
    return Spec(match["dtype"], shape, domain)


def _described(array: Any) -> Spec:
    """The `Spec` that an array looks like: other arrays of its kind can be drawn from it."""
    if array.ndim == 0 or not array.size or array.dtype.kind not in "biuf":
        raise CannotCheck(
            f"An example input must be an array of numbers with samples. Received: shape {array.shape}, {array.dtype}"
        )
    dtype, low, high = str(array.dtype), float(array.min()), float(array.max())
    if array.dtype.kind == "b":
        domain = None
    elif array.dtype.kind in "iu":
        domain = ("integers", int(low), max(int(high), int(low) + 1))
    elif array.ndim > 1 and array.shape[-1] > 1 and low >= 0 and np.allclose(array.sum(-1), 1, atol=1e-3):
        domain = ("onehot",) if np.isin(array, (0, 1)).all() else ("simplex",)
    elif np.isin(array, (0, 1)).all():
        domain = ("integers", 0, 1)
    else:
        domain = ("interval", 0.0, 1.0) if low >= 0 and high <= 1 else ("interval", low, high if high > low else low + 1.0)
    return Spec(dtype, array.shape, domain)
