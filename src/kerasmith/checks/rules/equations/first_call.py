"""The first call of an equation."""

import numpy as np

from kerasmith.checks.engine.comparison import format_numbers
from kerasmith.checks.engine.finding import Failed
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.equations.case import EquationCase


@check("E000", "equation", "error", requires=(), since="0.2.0")
def takes_a_field(case: EquationCase) -> None:
    """The equation cannot be computed of a field, or is not a finite number there.

    Nothing else can be said of an equation that does not run. It is asked with a smooth network whose values are between 0.5
    and 2.5, at points in (0.1, 0.9) of each coordinate that the equation names; unknown coefficients are positive numbers.

    Fix: mend what the message of the exception names, or declare other points, `like={"points": "float32[8,2](1,2)"}`, and
    other names of coordinates and outputs, `kerasmith_contract = {"names": "xyt", "outputs": "uv"}`.
    """
    lines = [*case.field_lines(), f"print({case.call_text()})"]
    try:
        parts = case.residual()
    except Exception as error:
        raise Failed("what has to be 0 at each point", describe_error(error), lines) from None
    if not parts:
        raise Failed("what has to be 0 at each point", "an empty list", lines)
    for part in parts:
        if not np.all(np.isfinite(part)):
            raise Failed("finite numbers", format_numbers(part), lines)
