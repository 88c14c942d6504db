"""Labels between whole numbers count for what they are."""

import numpy as np

from kerasmith.checks.engine.comparison import EXACT, differ, format_numbers
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.losses.case import LossCase
from kerasmith.checks.rules.losses.reproducers import unreduced_loss


@check("L137", "loss", "error", requires=("base", "L129"), since="0.2.0")
def labels_are_cut_off(case: LossCase) -> None:
    """Labels between whole numbers are cut off: 0.9 counts as 0.

    A cast to integers drops what stands behind the point. Soft labels, as label smoothing, mixup and distillation make them,
    become zeros nearly everywhere, and targets of a regression lose their fraction. For labels that were asked as 0 and 1 it
    is a warning.

    Fix: cast labels to the dtype of the predictions, `ops.cast(y_true, y_pred.dtype)`; where classes are meant,
    `ops.argmax` or `y_true > 0.5`.
    """
    case.require_arrays()
    true, pred = case.specs["y_true"], case.specs["y_pred"]
    if not true.dtype.startswith("float") or true.shape != pred.shape:
        raise NotApplicable("the labels are not values beside the predictions")
    labels, line, hard = softened(true, case.inputs["y_true"])
    value = lambda labels: case.values_of({**case.inputs, "y_true": labels.astype(true.dtype)})  # noqa: E731
    given, cut = value(labels), value(np.trunc(labels))
    if differ(given, cut, EXACT):
        return
    if not differ(cut, value(np.trunc(labels) + 1), EXACT):
        raise Inconclusive("the value does not change with these labels")
    raise Failed(
        "another value for labels between whole numbers than for those numbers",
        f"{format_numbers(given)} for both",
        [*unreduced_loss(case), line, "print(loss(y_true, y_pred)); print(loss(np.trunc(y_true), y_pred))"],
        severity="warning" if hard else None,
    )


def softened(spec, labels):
    """(labels between whole numbers, the line that makes them of `y_true`, whether those that were given are 0 and 1)."""
    if spec.domain == ("onehot",):
        return 0.8 * labels + 0.2 / labels.shape[-1], "y_true = 0.8 * y_true + 0.2 / y_true.shape[-1]", True
    if spec.domain == ("integers", 0, 1):
        return 0.8 * labels + 0.1, "y_true = 0.8 * y_true + 0.1", True
    if spec.domain is not None and spec.domain[0] == "integers":
        raise NotApplicable("the labels are whole numbers")
    return labels, "", False
