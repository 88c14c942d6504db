"""The first call of a loss."""

import numpy as np

from kerasmith.checks.engine.comparison import format_numbers
from kerasmith.checks.engine.finding import Failed
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.losses.case import LossCase
from kerasmith.checks.rules.losses.reproducers import callable_loss


@check("L000", "loss", "error", requires=("X103",), since="0.1.0")
def takes_the_inputs(case: LossCase) -> None:
    """The loss cannot be computed on its inputs, or is not a finite number there.

    Nothing else can be said of a loss that does not run: every other check waits for this one. The inputs are those of
    `like`, or the ones that were found by trying; they lie in the middle of their domain, not at its edges.

    Fix: declare the inputs that the loss is made for with `like`, or mend what the message of the exception names.
    """
    inputs = case.inputs
    lines = [*callable_loss(case), "print(loss(y_true, y_pred))"]
    try:
        value = case.value(case.loss(), inputs["y_true"], inputs["y_pred"])
    except Exception as error:
        raise Failed("a number", describe_error(error), lines) from None
    if not np.all(np.isfinite(value)):
        raise Failed("a finite number", format_numbers(value), lines)
