"""What makes a warning about a set-up an error: one batch is not learned, and is with one thing changed."""

from collections.abc import Callable
from typing import Any

from kerasmith.checks.engine.finding import Inconclusive, OutOfTime
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.learning import failing

# The name under which it is remembered, how it is told, and a function that gives what `Learning.train` changes.
Repair = tuple[Any, str, Callable[[], dict[str, Any]]]


def counterfactual(case: SetupCase, *repairs: Repair, is_finding: bool = True) -> str:
    """What both trainings measured, to be added to a finding; "" where the set-up learns, or no repair does.

    Args:
        case: the set-up.
        repairs: the first that learns is told.
        is_finding: whether there is a finding without it, which must not be lost where time runs out.
    """
    try:
        found = failing(case)
        for name, text, changes in repairs:
            curve = found.repairs(name, **changes())
            if curve is not None:
                return f". One batch is not learned: the loss goes {found.base}; {text} {curve}"
    except Inconclusive:
        pass
    except OutOfTime:
        if not is_finding:
            raise
    return ""
