"""The coefficients of a linear equation, read from the function of its residual."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from kerasmith.physics.field import Field
from kerasmith.physics.residual import Residual
from kerasmith.physics.residual_values import residual_terms

_PROBE = 1024.0  # a power of two: large beside what float32 loses of the source
_TOLERANCE = 2e-5


class Coefficients(NamedTuple):
    """sum over axes of factors[axes] * (derivative of u by these axes) = source, at each of N points.

    Attributes:
        factors: {axes: (N,) float64}; () is u itself, (0, 0) the second derivative by the first coordinate.
        source: (N,) float64.
    """

    factors: dict[tuple[int, ...], np.ndarray]
    source: np.ndarray


class LinearEquation:
    """The one equation of a model, if it is linear in the field and of second order at most.

    It is asked with a field whose values and derivatives are prescribed instead of derived: all 0, then one of them another
    number, then at random, which must be what the coefficients say.

    Args:
        model: compiled with an `Objective`.

    Raises:
        ValueError: for several equations, a system, arguments that a point alone does not determine.
    """

    def __init__(self, model: Any) -> None:
        terms = residual_terms(model)
        if len(terms) > 1 or any(isinstance(t, Residual) and t not in terms for t in model.objective.terms):
            raise ValueError(f"{REFUSED} The model has several equations: {', '.join(term.name for term in terms)}.")
        self.term: Residual = terms[0]
        self.quantities: dict[str, Any] = {quantity.name: quantity.value for quantity in model.objective.quantities}
        unknown = [name for name in self.term.takes if name not in self.quantities]
        if unknown:
            raise ValueError(f"{REFUSED} The equation {self.term.name!r} asks for {unknown[0]!r}.")

    def at(self, x: np.ndarray, names: Sequence[str]) -> Coefficients:
        """The coefficients at points (N, D).

        Raises:
            ValueError: for an equation that is not linear, or of higher order.
        """
        asked = {(): None}
        nothing = self._left(x, names, {}, asked)
        high = [axes for axes in asked if len(axes) > 2]
        if high:
            raise ValueError(f"{REFUSED} The equation has a derivative of order {max(map(len, high))}.")
        axes = list(asked)
        factors = {one: (self._left(x, names, {one: _PROBE}, asked) - nothing) / _PROBE for one in axes}
        rng = np.random.default_rng(0)
        for size in (0.1, 1.0, 30.0):
            values = {one: size * rng.uniform(-1, 1, len(x)) for one in axes}
            parts = [factors[one] * values[one] for one in axes]
            expected = nothing + sum(parts)
            scale = np.abs(nothing) + sum(map(np.abs, parts))
            found = self._left(x, names, values, asked)
            if (
                list(asked) != axes
                or not (np.abs(found - expected) <= _TOLERANCE * np.maximum(scale, scale.max() * 1e-3)).all()
            ):
                raise ValueError(f"{REFUSED} The equation {self.term.name!r} is not linear in the field.")
        return Coefficients(factors, -nothing)

    def _left(self, x, names, values, asked):
        """What the equation leaves, (N,) float64, where derivatives have these values and all others are 0."""
        field = _Prescribed(x, names, self.term.outputs or "u", values, asked)
        given = {name: self.quantities[name] for name in self.term.takes}
        left = self.term.pde(field, **given, **self.term.fixed)
        if isinstance(left, (dict, list, tuple)):
            raise ValueError(f"{REFUSED} The equation {self.term.name!r} is a system.")
        left = np.asarray(ops.convert_to_numpy(ops.stop_gradient(ops.convert_to_tensor(left))), "float64")
        if left.shape not in ((len(x),), (len(x), 1)):
            raise ValueError(f"The equation must return one number a point, ({len(x)},). It returned shape {left.shape}")
        if not np.isfinite(left).all():
            bad = int(np.argmin(np.isfinite(left.reshape(-1))))
            raise ValueError(f"{REFUSED} The equation {self.term.name!r} is not finite at {x[bad].tolist()}.")
        return left.reshape(-1)


REFUSED = (
    "Without `reference` the equation is solved by finite differences, which is possible for one linear equation of order two "
    "on a Box. Write verify(..., reference=function), with a solution that you know."
)


class _Prescribed(Field):
    """A field with prescribed values and derivatives."""

    def __init__(self, x, names, outputs, values, asked):
        self.names, self.names_given, self.outputs = tuple(names), True, tuple(outputs)
        self._x, self._values, self._asked = ops.convert_to_tensor(x.astype("float32")), values, asked
        self._derivatives = SimpleNamespace(outputs=len(self.outputs), coordinate=lambda axis: self._x[:, axis])
        if len(self.outputs) > 1:
            raise ValueError(f"{REFUSED} The field has several outputs: {', '.join(self.outputs)}.")

    def derivative(self, axes, output=None):
        self._position(output)
        self._asked.setdefault(axes, None)
        value = np.broadcast_to(np.float32(self._values.get(axes, 0.0)), (self._x.shape[0],))
        return ops.convert_to_tensor(value.astype("float32"))

    def value(self, output=None):
        return self.derivative((), output)
