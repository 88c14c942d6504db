"""A layer computes the same on every backend."""

from typing import Any

import numpy as np

from kerasmith.checks.engine.comparison import differ
from kerasmith.checks.engine.finding import Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.layers.case import LayerCase

# Numbers that are compared, of each output and gradient.
MOST = 400


@check("Y117", "layer", "error", requires=("base", "Y102", "Y104", "Y112", "Y113"), since="0.1.0")
def backends_agree(case: LayerCase) -> Any:
    """The backends compute different numbers from the same weights.

    A branch for one backend, or an operation with another default (`torch.std` divides by n - 1, `numpy.std` by n), trains
    one model and serves another.

    Fix: use `keras.ops`, which means the same everywhere, or give the option that differs explicitly.
    """
    case.contract.require("deterministic")
    layer = case.prepared()
    outputs = case.run_compiled(layer)
    if differ(outputs, case.run_compiled(layer)):
        raise Inconclusive("two calls on the same input differ")
    if not outputs:
        raise NotApplicable("the output is not made of numbers")
    flat = keras.tree.flatten(case.inputs)
    try:
        _, gradients, _ = case.gradients(case.differentiated, case.inputs)
    except Exception:
        gradients = [None] * len(flat)  # An output that nothing flows back from.
    # JAX has zeros where the others have no gradient.
    known = [np.zeros_like(flat[leaf]) if g is None else g for leaf, g in zip(case.float_leaves(case.inputs), gradients)]
    return [_sample(array) for array in [*outputs, *known]]


def _sample(array):
    """At most `MOST` of the numbers, spread over the array."""
    flat = np.ravel(array)
    return [float(number) for number in flat[:: max(1, -(-flat.size // MOST))]]
