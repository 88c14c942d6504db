"""The factor in front of a term: a number, a function of the step, or learned."""

import math
import numbers
from typing import Any

import keras
from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base.arguments import check_number
from kerasmith.multitask import Uncertainty


class Constant:
    """A number."""

    has_column = False

    def __init__(self, value: Any) -> None:
        check_number("weight", value)
        self.value: float = float(value)

    def build(self, add_weight: Function, name: str) -> None:
        pass

    def __call__(self, step: Tensor) -> tuple[Any, Any]:
        return self.value, None


class Scheduled:
    """A function of the step, such as a `keras.optimizers.schedules.LearningRateSchedule`."""

    has_column = True

    def __init__(self, schedule: Function) -> None:
        self.schedule = schedule

    def build(self, add_weight: Function, name: str) -> None:
        try:
            first = self.schedule(ops.zeros((), "int32"))
        except TypeError as problem:
            raise TypeError(
                f"The weight of the term {name!r} is called with the step, `def weight(step)`. {problem}"
            ) from problem
        shape = getattr(first, "shape", ())
        if first is None or tuple(shape) != () or not math.isfinite(first):
            raise ValueError(
                f"The weight of the term {name!r} must be a finite number in every step. In step 0 "
                f"{getattr(self.schedule, '__name__', type(self.schedule).__name__)} returned {first!r}."
            )

    def __call__(self, step: Tensor) -> tuple[Any, Any]:
        return ops.cast(self.schedule(step), "float32"), None


def is_above_zero(weight: Any) -> bool:
    """Whether a weight object is known to be above 0 in every step: a number, or learned."""
    return isinstance(weight, Uncertainty) or (isinstance(weight, Constant) and weight.value > 0)


def weight_of(given: Any) -> Any:
    """The weight object of what a user wrote."""
    if isinstance(given, Uncertainty):
        return Uncertainty.from_config(given.get_config())  # each term learns its own
    if isinstance(given, str) and given == "learned":
        return Uncertainty()
    if isinstance(given, numbers.Real) and not isinstance(given, bool):
        return Constant(given)
    if callable(given) and not isinstance(given, keras.Variable):
        return Scheduled(given)
    raise TypeError(
        '`weight` must be a number, a function of the step (a LearningRateSchedule, for example) or "learned". A number that '
        f"changes in training is a function of the step. Received: weight={given!r}"
    )
