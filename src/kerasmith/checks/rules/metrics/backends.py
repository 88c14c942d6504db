"""The same number on every backend."""

from typing import Any

from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.metrics.case import MetricCase


@check("M120", "metric", "error", since="0.1.0")
def backends_agree(case: MetricCase) -> Any:
    """Another backend gives another number.

    Methods and functions of the tensors themselves differ between libraries: `std` divides by n - 1 in PyTorch and by n in
    JAX, `round`, integer division and the order of equal elements differ too. A number in a paper then depends on the
    backend.

    Fix: use `keras.ops`, which means the same everywhere.
    """
    result = case.run((case.draw(0), None), (case.draw(1), None))
    return {key: value.tolist() for key, value in result.values.items()}
