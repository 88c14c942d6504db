"""Values between whole numbers count for what they are."""

import numpy as np

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.engine.spec import Spec
from kerasmith.checks.rules.metrics.case import MetricCase

_DRAWS = (0, 1, 2)


@check("M134", "metric", "error", requires=("base",), since="0.2.0")
def values_are_cut_off(case: MetricCase) -> None:
    """Labels or predictions between whole numbers are cut off: 0.9 counts as 0.

    A cast to integers drops what stands behind the point: each probability below 1 is a 0, and a target of a regression loses
    its fraction. It is no rounding, and no threshold.

    Fix: for decisions `y_pred > 0.5` or `ops.round(y_pred)`; for values cast labels to the dtype of the predictions,
    `ops.cast(y_true, y_pred.dtype)`.
    """
    specs = {name: case.specs[name] for name in (("y_pred",) if case.takes_values else ("y_true", "y_pred"))}
    if not all(isinstance(spec, Spec) for spec in specs.values()):
        raise NotApplicable("the inputs are several arrays")
    found = [name for name, spec in specs.items() if _has_fractions(spec) and _is_cut(case, name)]
    if found:
        name = found[-1]
        raise Failed(
            f"another result for {name} between whole numbers than for those numbers",
            f"{case.whole()} for both, on {len(_DRAWS)} draws",
            [
                *case.preparation(),
                f"metric.update_state({case.arguments}); print(metric.result()); metric.reset_state()",
                f"{name} = keras.ops.trunc({name}); metric.update_state({case.arguments}); print(metric.result())",
            ],
        )


def _has_fractions(spec):
    return spec.dtype.startswith("float") and (spec.domain is None or spec.domain[0] in ("interval", "simplex"))


def _is_cut(case, name):
    """Whether whole numbers say the same as the values that were drawn, and other whole numbers something else."""
    changed = lambda draw, function: case.run(({**case.draw(draw), name: function(case.draw(draw)[name])}, None))  # noqa: E731
    if any(case.whole(draw).differs(changed(draw, np.trunc)) for draw in _DRAWS):
        return False
    return any(case.whole(draw).differs(changed(draw, lambda values: np.trunc(values) + 1)) for draw in _DRAWS)
