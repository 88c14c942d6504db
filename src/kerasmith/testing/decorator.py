"""`@kerasmith.testing.parametrize`: a test for every check of every component."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from kerasmith.checks.engine import registry
from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.subject import Subject, subject_of
from kerasmith.testing.component_tests import planned_tests

OPTIONS = ("init", "like", "contract", "kind", "name")


def parametrize(
    components: Sequence[Any],
    *,
    like: Any = None,
    contract: Contract | dict[str, Any] | None = None,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] | None = None,
    seed: int = 7,
) -> pytest.MarkDecorator:
    """Makes a test of each check of each component, on the backend that runs.

    A finding fails its test with the numbers, the reproducer and the fix; a note passes with a warning; a check that has no
    answer (inconclusive, blocked by another, not applicable) is skipped with the reason. Collecting runs no check.

    Args:
        components: list of classes, instances and functions, or pairs (component, options) with options out of "init" (the
            constructor arguments of a class), "like", "contract", "kind" ("metric" for a function that is one) and "name".
        like, contract: for the components that have none of their own; see `kerasmith.check`.
        select, ignore: ids of checks, or how they begin.
        seed: of the inputs.

    Returns:
        A decorator for a test with the argument `check`.

    Raises:
        ValueError: for something else than a list, or options that do not exist.

    Example:

    >>> import keras, kerasmith
    >>> @kerasmith.testing.parametrize([keras.losses.MeanSquaredError], select=["L104"])
    ... def test_parts(check):
    ...     check()
    """
    if isinstance(components, str) or not isinstance(components, (list, tuple)) or not components:
        raise ValueError(
            f"`components` must be a list such as [MyLoss, MyMetric(num_classes=3)]. Received: components={components!r}"
        )
    # A selection that names nothing is a slip of the pen in the test file, not a fault of each component.
    registry.planned("loss", select, ignore)
    options = {"like": like, "contract": contract, "select": select, "ignore": ignore, "seed": seed}
    tests = planned_tests([_planned(given) for given in components], options)
    return pytest.mark.parametrize("check", [pytest.param(function, id=id) for id, function in tests])


def _planned(given: Any) -> tuple[str, Callable[[], Subject], dict[str, Any]]:
    """(name, function that gives the `Subject`, options of its own) of a component or a pair."""
    component, options = given if isinstance(given, (tuple, list)) and len(given) == 2 else (given, {})
    if not isinstance(options, dict) or set(options) - set(OPTIONS):
        raise ValueError(
            f"A component is given alone or as a pair (component, options) with options out of {', '.join(OPTIONS)}. "
            f"Received: {given!r}"
        )
    named = component if inspect.isclass(component) or hasattr(component, "__name__") else type(component)
    name = options.get("name") or named.__name__
    arguments = {key: options[key] for key in ("init", "kind") if key in options}
    own = {key: options[key] for key in ("like", "contract") if key in options}
    return name, lambda: subject_of(component, name=name, **arguments), own
