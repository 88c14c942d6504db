"""The `reduction` of a loss."""

import numpy as np

from kerasmith.checks.engine.comparison import REARRANGED, differ, format_numbers
from kerasmith.checks.engine.finding import Failed, Inconclusive
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.losses.case import LossCase


@check("L107", "loss", "warning", requires=("base", "L104", "X102"), since="0.1.0")
def reduction_argument(case: LossCase) -> None:
    """`reduction` is accepted and changes nothing.

    `reduction="none"` must give the values of the samples and "sum" their sum: custom training loops, composite losses
    and distributed training rely on it. A constructor that takes the argument and does not hand it to `super().__init__`
    still gives the mean.

    Fix: `super().__init__(name=name, reduction=reduction, dtype=dtype)`, or take `**kwargs` and hand them on.
    """
    case.require_call("a function has no reduction of its own")
    case.contract.require("per_sample")
    inputs = case.inputs
    try:
        none, total = (case.loss(reduction=reduction) for reduction in ("none", "sum"))
    except TypeError as error:
        raise Inconclusive(f"`reduction` cannot be given: {error}") from None
    if case.values.size < 2:
        raise Inconclusive("one value is its own sum")
    for loss, name, right in ((none, "none", case.values), (total, "sum", float(np.sum(case.values)))):
        actual = case.value(loss, inputs["y_true"], inputs["y_pred"])
        if differ(actual, right, REARRANGED):
            raise Failed(
                f"{format_numbers(right)} with reduction={name!r}",
                format_numbers(actual),
                [_again(case, name), "print(loss(y_true, y_pred))"],
            )


def _again(case, reduction):
    """A line that makes the loss with another reduction, as the user would."""
    if case.subject.is_instance:
        return f"loss = type(loss).from_config({{**loss.get_config(), 'reduction': {reduction!r}}})"
    init = {**case.subject.init, "reduction": reduction}
    return f"loss = type(loss)({', '.join(f'{key}={value!r}' for key, value in init.items())})"
