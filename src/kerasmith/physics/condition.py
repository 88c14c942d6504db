"""A boundary or initial condition as a term of an objective."""

import functools
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from keras import ops

from kerasmith._types import Config, Tensor
from kerasmith.base import register
from kerasmith.base.arguments import check_choice, check_number
from kerasmith.base.saved_function import find_again
from kerasmith.objectives import Term
from kerasmith.objectives.quantity import Quantity
from kerasmith.objectives.step_inputs import StepInputs
from kerasmith.physics.point_arrays import normal_array, point_array, require_same_axes, value_array
from kerasmith.physics.step_fields import field_at_points

KINDS = ("dirichlet", "neumann", "robin", "periodic", "initial")


@register
class Condition(Term):
    """The mean square by which a model misses a condition at points of its own (since 0.2).

    | kind | (1 / N) sum_i (...)^2 over the points, with u an output of the model and n the normal |
    |---|---|
    | "dirichlet" | u - value |
    | "neumann" | du/dn - value |
    | "robin" | a u + b du/dn - value, with (a, b) = `coefficients` |
    | "periodic" | u here - u there - value |
    | "initial" | u - value, or a derivative, as du/dt |

    Every step asks all points. Conditions that need no derivative share one forward pass of the model, the others another one.

    Args:
        points: (N, D), with all the axes of the model's inputs; an object with such an array as `x`, and maybe `normals` and
            `names`. For "periodic" a pair of two such sets, or one set and `axis`.
        value: a number, an array of one number a point, or a function of the points (N, D) that returns such an array.
        kind: see above.
        weight, name: see `Term`; the kind is the name by default.
        output: name or position of the model's output, where there are several.
        names: one name for each axis, for `derivative` and `axis`; those of `points`, or of the objective's residuals.
        outputs: one name for each output; those of the objective's residuals by default.
        normals: (N, D) unit vectors that point outwards, if `points` has none; "neumann" and "robin".
        coefficients: (a, b); "robin".
        derivative: name of a derivative that takes the value instead of u; "initial" and "periodic".
        axis: name of the axis along which the field repeats; "periodic" with one set, whose points are moved to the lower and
            the upper end of this axis.
        bounds: the two ends of that axis; the smallest and the largest coordinate of the points by default.

    Raises:
        ValueError: for no points, other shapes, missing normals, an unknown kind, what belongs to another kind.

    Example:

    >>> start = Condition([[0.0, 0.0], [0.5, 0.0]], lambda p: np.sin(np.pi * p[:, 0]), kind="initial")
    >>> start.name, start.target.tolist()
    ('initial', [0.0, 1.0])
    """

    differentiates: ClassVar[bool] = False

    def __init__(
        self,
        points: Any,
        value: Any = 0.0,
        kind: str = "dirichlet",
        weight: Any = 1.0,
        name: str | None = None,
        *,
        output: str | int | None = None,
        names: str | Sequence[str] | None = None,
        outputs: str | Sequence[str] | None = None,
        normals: Any = None,
        coefficients: Sequence[float] | None = None,
        derivative: str | Sequence[str] | None = None,
        axis: str | None = None,
        bounds: Sequence[float] | None = None,
    ) -> None:
        check_choice("kind", kind, KINDS)
        belongs = {
            "normals": (normals, ("neumann", "robin")),
            "coefficients": (coefficients, ("robin",)),
            "derivative": (derivative, ("initial", "periodic")),
            "axis": (axis, ("periodic",)),
            "bounds": (bounds, ("periodic",)),
        }
        for argument, (given, kinds) in belongs.items():
            if given is not None and kind not in kinds:
                raise ValueError(f"`{argument}` belongs to kind={' or '.join(map(repr, kinds))}. Received: kind={kind!r}")
        self._prepare(value, weight, name, output=output)
        self.name = name or kind
        self.kind, self.value, self.derivative, self.axis, self.bounds = kind, value, derivative, axis, bounds
        self.names, self.outputs = names, outputs
        self.coefficients = _pair_of_numbers("coefficients", (1.0, 1.0) if coefficients is None else coefficients)
        if bounds is not None:
            self.bounds = _pair_of_numbers("bounds", bounds)
        first, second = _sides(points, axis) if kind == "periodic" else (points, None)
        self.names = names if names is not None else getattr(first, "names", None)
        self.domain = getattr(first, "domain", None)
        self.points = point_array(first, "points")
        self.partners = None if second is None else point_array(second, "points")
        if second is not None and self.partners.shape != self.points.shape:
            raise ValueError(
                "A periodic condition needs as many points on one side as on the other. Received: shapes "
                f"{self.points.shape} and {self.partners.shape}"
            )
        needs_normals = kind in ("neumann", "robin")
        given_normals = getattr(first, "normals", None) if normals is None else normals
        self.normals = normal_array(given_normals, self.points) if needs_normals else None
        self.target = value_array(value, self.points, f"the condition {self.name!r}")
        # What is saved: arrays in place of objects that hold them.
        self._constructor_arguments.update(
            points=self.points if second is None else [self.points, self.partners],
            value=value if callable(value) or isinstance(value, (int, float)) else self.target,
            normals=self.normals,
            names=None if self.names is None else list(self.names),
        )

    def under(self, name: str | None = None, position: int | None = None, weight: Any = None) -> "Condition":
        term = super().under(name, position, weight)
        term.domain = self.domain
        return term

    def join(self, terms: Sequence[Term], quantities: Sequence[Quantity]) -> None:
        for what in ("names", "outputs"):
            siblings = [t for t in terms if hasattr(t, "pde") and getattr(t, what) is not None]
            if getattr(self, what) is None and siblings:
                setattr(self, what, getattr(siblings[0], what))
        if self.axis is not None:
            self._move_to_ends()
        require_same_axes(terms)
        self._siblings = [t for t in terms if isinstance(t, Condition) and t.needs_derivatives == self.needs_derivatives]

    @property
    def needs_derivatives(self) -> bool:
        """Whether more than values of the model is needed."""
        return self.kind in ("neumann", "robin") or self.derivative is not None

    @property
    def asked(self) -> np.ndarray:
        """The points at which the model is asked: those of one side, then those of the other for "periodic"."""
        return self.points if self.partners is None else np.concatenate([self.points, self.partners])

    @functools.cached_property
    def _asked_together(self):
        return np.concatenate([condition.asked for condition in self._siblings])

    def _move_to_ends(self):
        if self.names is None:
            self.names = "xt"
        if self.axis not in self.names or len(self.names) != self.points.shape[1]:
            raise ValueError(
                f"`axis` must be one of the {self.points.shape[1]} names of the coordinates. Received: axis={self.axis!r} and "
                f"names={self.names!r}"
            )
        k = list(self.names).index(self.axis)
        ends = self.bounds if self.bounds is not None else (self.points[:, k].min(), self.points[:, k].max())
        if not ends[0] < ends[1]:
            raise ValueError(
                f"A periodic condition along {self.axis!r} needs two ends, the first one lower. Received: "
                f"{float(ends[0])} and {float(ends[1])}. Write bounds=(lower, upper)."
            )
        self.points, self.partners = self.points.copy(), self.points.copy()
        self.points[:, k], self.partners[:, k] = ends

    def _values(self, inputs: StepInputs) -> Tensor:
        together = self._siblings[0]._asked_together
        key = ("conditions", self.needs_derivatives)
        field = field_at_points(inputs, key, together, self._field_names(), self.outputs)
        before = self._siblings[: next(i for i, condition in enumerate(self._siblings) if condition is self)]
        start = sum(len(condition.asked) for condition in before)
        here = slice(start, start + len(self.points))
        if self.normals is not None:
            normals = ops.cast(ops.convert_to_tensor(self.normals), field.value(self.output).dtype)
            # A side where no normal has a part along an axis needs no derivative by it.
            along = [k for k in range(self.points.shape[1]) if np.any(self.normals[:, k])]
            found = sum(field.derivative((k,), self.output)[here] * normals[:, k] for k in along)
            if self.kind == "robin":
                a, b = self.coefficients
                found = a * field.value(self.output)[here] + b * found
        else:
            values = field.value(self.output) if self.derivative is None else field.d(self.derivative, self.output)
            found = values[here]
            if self.partners is not None:
                found = found - values[here.stop : here.stop + len(self.points)]
        return ops.mean(ops.square(found - ops.cast(ops.convert_to_tensor(self.target), found.dtype)))

    def _field_names(self):
        # Where nothing says them, they are not needed.
        unnamed = self.names is None and self.derivative is None
        return [f"x{k}" for k in range(self.points.shape[1])] if unnamed else self.names

    @classmethod
    def from_config(cls, config: Config) -> "Condition":
        find_again(config["value"], f"The value of the condition {config.get('name') or config['kind']!r}")
        return super().from_config(config)


def _sides(points, axis):
    """The two sets of points of a periodic condition; one set and None where they are moved along an axis."""
    if axis is not None:
        return points, None
    if not isinstance(points, (list, tuple)) or len(points) != 2 or np.ndim(getattr(points[0], "x", points[0])) == 0:
        raise ValueError(
            'A periodic condition compares two sets of points: Condition((left, right), kind="periodic"), or '
            'Condition(points, kind="periodic", axis="x"), which moves the points to both ends of that axis.'
        )
    return points


def _pair_of_numbers(name, given):
    if not isinstance(given, (list, tuple)) or len(given) != 2:
        raise ValueError(f"`{name}` must be two numbers. Received: {name}={given!r}")
    for number in given:
        check_number(name, number)
    return float(given[0]), float(given[1])
