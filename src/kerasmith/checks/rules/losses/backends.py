"""The same value and gradient on each backend; the comparison is made by the parent of the workers."""

from typing import Any

import numpy as np

from kerasmith.checks.engine.finding import NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.losses.case import LossCase, leaves, owned

# Numbers per array that are handed to the parent.
_MOST = 256


@check("L125", "loss", "error", requires=("base", "L110", "L127"), since="0.1.0")
def same_on_each_backend(case: LossCase) -> Any:
    """The value or the gradient differs between backends.

    Operations that the backends define differently (`.std()` of a tensor, rounding, ties, integer division, out-of-range
    indices) make results incomparable, and a model trained on one backend is judged by another loss on the next.

    Fix: use functions of `keras.ops` instead of methods of the tensor, and give arguments that have other defaults
    elsewhere.
    """
    case.contract.require("deterministic")
    case.contract.require("stateful")
    variables, layers = owned(case.loss())
    if variables or layers:
        raise NotApplicable("it owns weights, whose initial values differ between backends")
    data = {"value": _plain(case.values)}
    if case.contract.uses_y_pred:
        data["gradient"] = [_plain(np.zeros(1) if part is None else part) for part in leaves(case.slope[1])]
    return data


def _plain(array):
    """The first numbers, as far as they are finite; JSON knows no NaN."""
    flat = np.asarray(array, "float64").reshape(-1)[:_MOST]
    return [float(number) if np.isfinite(number) else None for number in flat]
