"""What the generator minimises because of the discriminator, as a term of an objective."""

import dataclasses
from typing import Any

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import register
from kerasmith.numerics.tensors import accumulation_dtype
from kerasmith.objectives import Objective
from kerasmith.objectives.step_inputs import StepInputs
from kerasmith.objectives.term import Term


class Column(keras.metrics.Mean):
    """Mean of a loss over the samples of an epoch."""

    direction: str = "min"


@dataclasses.dataclass(frozen=True)
class JudgedInputs(StepInputs):
    """The `StepInputs` of a generator's step, with what the discriminator says.

    Attributes:
        outputs: the discriminator's raw outputs for the generated samples.
    """

    outputs: Any = None


@register
class GeneratorTerm(Term):
    """A `losses.GeneratorLoss` as the first term of what a generator minimises.

    Args:
        fn: the loss.
        name: the column.
    """

    def __init__(self, fn: Any, name: str = "generator") -> None:
        super().__init__(fn, name=name)

    def under(self, name: str | None = None, position: int | None = None, weight: Any = None) -> "GeneratorTerm":
        self.position = position
        return self

    def share(self, inputs: JudgedInputs) -> Tensor:
        value = self.loss(ops.zeros_like(inputs.outputs), inputs.outputs, inputs.sample_weight)
        return ops.cast(value, accumulation_dtype(value.dtype))


def objective_of_generator(loss: Any, terms: Any) -> Objective:
    """What a generator minimises.

    Args:
        loss: a `losses.GeneratorLoss`.
        terms: a dict, a list, one term, or None.
    """
    if isinstance(terms, Objective):
        raise TypeError("`terms` are the terms themselves, a dict {name: term} or a list. Received: an Objective")
    if terms is None:
        given = []
    else:
        given = Objective(terms if isinstance(terms, (dict, list, tuple)) else [terms]).terms
    asking = [term.name for term in given if "features" in term.asks]
    if asking:
        raise ValueError(
            f"The term {asking[0]!r} asks for `features`, which are those of one model with taps. Ask for `model` and call a "
            "part of it, such as `model.discriminator`."
        )
    return Objective([GeneratorTerm(loss), *given])
