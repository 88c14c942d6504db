"""The losses among the terms of an objective, each with the output that it reads."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from kerasmith._types import Tensor
from kerasmith.base import KerasLoss
from kerasmith.objectives.step_inputs import StepInputs
from kerasmith.objectives.term import Term, takes_all_outputs
from kerasmith.objectives.term_weight import is_above_zero


class JudgedOutput(NamedTuple):
    """A loss, its weight as it was given, and the tensors that it compares."""

    loss: Any
    weight: Any
    y_true: Tensor
    y_pred: Tensor
    sample_weight: Tensor | None


def judged_outputs(terms: list[Term], inputs: StepInputs) -> Iterator[JudgedOutput]:
    """What each term that compares one output with its labels by a loss reads of a step.

    Left out are functions, which may read anything; losses over several outputs or past batches; and weights that are 0 or
    negative, or functions of the step: what such a term wants is not known. So is what does not fit labels and outputs.
    """
    for term in terms:
        if not _judges_one_output(term):
            continue
        try:
            y_true, y_pred, sample_weight = inputs.of_output(term.output, term.name, term.position)
        except ValueError:
            continue
        if y_true is not None:
            loss = term.loss.loss if isinstance(term.loss, KerasLoss) else term.loss
            yield JudgedOutput(loss, term.weight, y_true, y_pred, sample_weight)


def _judges_one_output(term):
    # A term of another class may take its labels from elsewhere, such as a teacher.
    is_plain = type(term) is Term and term.loss is not None and term.memory is None and not takes_all_outputs(term.loss)
    return is_plain and is_above_zero(term.factor)
