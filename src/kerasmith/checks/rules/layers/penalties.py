"""A penalty that a layer computes reaches the loss of the model."""

import re

import numpy as np

from kerasmith.checks.engine.finding import Failed
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.attributes import as_array, is_float_array, reached_from
from kerasmith.checks.rules.layers.case import LayerCase

_PENALTY = re.compile(r"loss|penalt|regulari|(^|_)kl(_|$)|diverg|commit|sparsity|aux", re.IGNORECASE)


@check("Y125", "layer", "warning", requires=("base", "Y118"), since="0.1.0")
def penalty_is_added(case: LayerCase) -> None:
    """A penalty is kept in an attribute and never added to the loss.

    The model trains without it. In a compiled step the attribute holds a symbolic value that nobody can read.

    Fix: `self.add_loss(penalty)` in `call`.
    """
    layer = case.prepared()
    case.call(layer, training=True)
    first = _scalars(layer)
    if not first or layer.losses:
        return
    case.call(layer, case.draw(1), training=True)
    for path, value in _scalars(layer).items():
        if path in first and not np.isclose(value, first[path]) and _PENALTY.search(path.rpartition(".")[2]):
            raise Failed(
                f"`{path}` in `layer.losses`",
                f"`layer.losses` is empty; `{path}` is {first[path]:.4g}, then {value:.4g} on other inputs",
                [f"{case.call_code(training=True)}; print({path.replace('self', 'layer', 1)}, layer.losses)"],
            )


def _scalars(layer):
    """{path: number} of the scalar tensors in attributes."""
    scalars = {}
    for place in reached_from(layer):
        if is_float_array(place.value) and not isinstance(place.value, np.ndarray) and as_array(place.value).ndim == 0:
            scalars[place.path] = float(as_array(place.value))
    return scalars
