"""A differential equation as a term of an objective."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from keras import ops

from kerasmith._types import Config, Function, Reduction, Tensor
from kerasmith.base import register
from kerasmith.base.saved_function import find_again
from kerasmith.numerics.tensors import accumulation_dtype, static_shape
from kerasmith.objectives import Term
from kerasmith.objectives.quantity import Quantity
from kerasmith.objectives.step_inputs import NAMES, StepInputs
from kerasmith.physics.point_arrays import point_array, require_same_axes
from kerasmith.physics.step_fields import field_at_points, field_of_batch


@register
class Residual(Term):
    """The mean square of what an equation leaves at the points of a batch (since 0.2).

    (1 / B) sum_i pde(f)(x_i)^2, with f the model's `Field` at its inputs x

    Terms of one step share the field: the model runs once, and each derivative is computed once, in `fit` and `evaluate`.
    No labels are needed: `model.fit(x)`.

    Args:
        pde: a function of a field that returns what has to be 0 at each point, (B,), or a list of such for a system of
            equations, whose squares are added. Its further arguments are found by their names: an `Unknown` of the objective,
            `fixed`, or what any `Term` may ask for, such as y (without a trailing 1) or step.
        weight, name: see `Term`.
        names: one name for each axis of the model's inputs, see `Field`; by default those of any points given, or "xt".
        outputs: one name for each output of the model, see `Field`.
        points: points of its own, (N, D), instead of those of the batch.
        fixed: dict of further arguments of `pde`. They are saved.
        reduction: over the points of a batch, see `Term`.

    `pde` is saved by its name. In the process that loads the model, the module that defines it must have been imported; else
    loading is an error.

    Raises:
        ValueError: for an argument of `pde` that is none of the above; for a result of another shape than (B,), with both
            shapes; for what `Field` refuses.

    Example:

    >>> import keras
    >>> from kerasmith import Model, Objective
    >>> from kerasmith.physics import Condition
    >>> def heat(f, k):
    ...     return f.d("t") - k * f.d("xx")
    >>> inputs = keras.Input((2,))
    >>> model = Model(inputs, keras.layers.Dense(1)(keras.layers.Dense(8, activation="tanh")(inputs)))
    >>> cold = Condition([[0.0, 0.5], [1.0, 0.5]], 0.0, name="cold")
    >>> model.compile("adam", Objective([Residual(heat, fixed={"k": 0.1}), cold]))
    >>> sorted(model.fit(ops.ones((4, 2)), verbose=0).history)
    ['cold', 'heat', 'loss']
    """

    differentiates: ClassVar[bool] = True

    def __init__(
        self,
        pde: Function,
        weight: Any = 1.0,
        name: str | None = None,
        *,
        names: str | Sequence[str] | None = None,
        outputs: str | Sequence[str] | None = None,
        points: Any = None,
        fixed: Mapping[str, Any] | None = None,
        reduction: Reduction = "sum_over_batch_size",
    ) -> None:
        if not callable(pde) or inspect.isclass(pde):
            raise TypeError(f"`pde` must be a function of a field, def pde(f): ... Received: pde={pde!r}")
        self._prepare(pde, weight, name, fixed=fixed, reduction=reduction)
        self.pde = pde
        self.points = None if points is None else point_array(points, "points")
        self.names = names if names is not None else getattr(points, "names", None)
        self.outputs = outputs
        self.domain = getattr(points, "domain", None)
        # What is saved: an array in place of an object that holds one.
        names = None if self.names is None else list(self.names)
        self._constructor_arguments.update(points=self.points, names=names)
        self.takes: tuple[str, ...] = _arguments(pde, self.fixed)

    def under(self, name: str | None = None, position: int | None = None, weight: Any = None) -> "Residual":
        term = super().under(name, position, weight)
        term.domain = self.domain
        return term

    def join(self, terms: Sequence[Term], quantities: Sequence[Quantity]) -> None:
        if self.names is None:
            self.names = next((t.names for t in terms if t is not self and getattr(t, "names", None) is not None), None)
        require_same_axes(terms)
        known = [quantity.name for quantity in quantities]
        parameters = _parameters(self.pde)[1:]
        there = (*known, *NAMES, *self.fixed)
        # An argument that nothing else gives keeps its default.
        absent = [p.name for p in parameters if p.default is not p.empty and p.name not in there]
        self.takes = tuple(key for key in _arguments(self.pde, self.fixed) if key not in absent)
        missing = [p.name for p in parameters if p.default is p.empty and p.name not in there]
        if missing:
            raise ValueError(
                f"`{self.name}` asks for {missing[0]!r}, which the objective does not have. If it is to be learned, add "
                f"Unknown(1.0, {missing[0]!r}) to the terms; if it is known, write "
                f"Residual(..., fixed={{{missing[0]!r}: ...}}). There is: {', '.join([*known, *NAMES])}."
            )

    def _values(self, inputs: StepInputs) -> Tensor:
        if self.points is None:
            field = field_of_batch(inputs, self.names, self.outputs)
        else:
            field = field_at_points(inputs, ("points", self.name), self.points, self.names, self.outputs)
        given = {key: self._argument(key, inputs) for key in self.takes}
        left = self.pde(field, **given, **self.fixed)
        parts = list(left.values()) if isinstance(left, dict) else left if isinstance(left, (list, tuple)) else [left]
        squares = sum(ops.square(self._checked(part, field)) for part in parts)
        return squares if self.points is None else ops.mean(squares)

    def _argument(self, key, inputs):
        if key in inputs.quantities:
            return inputs.quantities[key]
        value = inputs[key]
        is_labels = key in ("y", "y_true") and hasattr(value, "shape")
        return value[:, 0] if is_labels and len(value.shape) == 2 and value.shape[1] == 1 else value

    def _checked(self, part, field):
        if part is None:
            raise TypeError(f"The equation {self.name!r} must return what has to be 0 at each point. It returned nothing.")
        part = ops.convert_to_tensor(part)
        shape, wanted = static_shape(part, f"the result of {self.name}"), static_shape(field.value(0), "the field")
        if len(shape) == 2 and shape[1] == 1:
            part, shape = part[:, 0], shape[:1]
        if len(shape) != 1 or (None not in (shape[0], wanted[0]) and shape != wanted):
            points = wanted[0] if wanted[0] is not None else "points"
            raise ValueError(
                f"The equation {self.name!r} must return one number a point, shape ({points},). It returned shape {shape}. "
                f"Values, derivatives and coordinates of a field have shape ({points},); where such a tensor meets one of "
                f"shape ({points}, 1), the result is ({points}, {points}). Write `ops.reshape(other, (-1,))` or `other[:, 0]`."
            )
        return ops.cast(part, accumulation_dtype(part.dtype))

    @classmethod
    def from_config(cls, config: Config) -> "Residual":
        find_again(config["pde"], f"The equation of the residual {config.get('name') or ''!r}")
        return super().from_config(config)


def _parameters(pde):
    kinds = inspect.Parameter
    try:
        parameters = list(inspect.signature(pde).parameters.values())
    except ValueError:
        parameters = []
    return [p for p in parameters if p.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY, kinds.POSITIONAL_ONLY)]


def _arguments(pde, fixed):
    """The arguments after the field that the objective has to find by name."""
    parameters = _parameters(pde)
    name = getattr(pde, "__name__", type(pde).__name__)
    if not parameters or parameters[0].kind is inspect.Parameter.KEYWORD_ONLY:
        raise TypeError(
            f"An equation is a function of a field, `def {name}(f): return f.d('t') - f.d('xx')`. `{name}` takes none."
        )
    names = [p.name for p in parameters[1:]]
    excess = [key for key in fixed if key not in names]
    if excess:
        raise ValueError(f"`{name}` has no argument {excess[0]!r} after the field. It has: {', '.join(names) or 'none'}")
    return tuple(key for key in names if key not in fixed)
