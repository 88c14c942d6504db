"""A seed makes noise repeatable from run to run, not from call to call."""

import ast
import inspect
from typing import Any

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.comparison import REPEATED, differ
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.class_syntax import class_trees
from kerasmith.checks.rules.layers.case import LayerCase

_RECORDS = ("__init__", "build", "get_config")


@check("Y131", "layer", "error", requires=("base", "Y101"), since="0.2.0")
def noise_changes(case: LayerCase) -> None:
    """The noise is the same at every call.

    `keras.random.normal(shape, seed=3)` draws the same numbers each time: a whole number is a key, not a generator. In
    training every batch is disturbed in one and the same way, which the network learns to undo.

    Fix: `self.seed_generator = keras.random.SeedGenerator(seed)` in `__init__`, and `seed=self.seed_generator` in `call`.
    """
    fixed = [found for owner, tree in class_trees(case.subject.cls) for found in _fixed(case, owner, tree)]
    if not fixed:
        raise NotApplicable("no draw with a fixed seed is seen")
    text, line, changed = fixed[0]
    try:
        layer = case.prepared(**changed)
        outputs = [case.arrays(case.call(layer, training=True)) for _ in range(2)]
        calm = case.arrays(case.call(layer, training=False))
    except Exception:
        raise NotApplicable("it does not run in training") from None
    if differ(*outputs, REPEATED):
        raise NotApplicable("two calls give two outputs")
    if "training" in case.call_arguments and not differ(outputs[0], calm):
        raise NotApplicable("nothing is drawn in training")
    again = ", ".join(f"{key}={value!r}" for key, value in {**case.subject.init, **changed}.items())
    raise Failed(
        "other noise in another call",
        f"two calls with training=True give the same numbers: `{text}` draws with a whole number as seed",
        [f"layer = type(layer)({again})", f"for _ in range(2): print({case.call_code(training=True)})"],
        line=line,
        # Without a mode of its own it may be a fixed table of random numbers.
        severity=None if "training" in case.call_arguments else "warning",
    )


def _fixed(case: Case, owner: type[Any], tree: ast.ClassDef) -> list[tuple[str, int, dict[str, int]]]:
    """[(call, line, arguments)]: draws in methods that run at each call whose seed is a number, with what makes it one."""
    found = []
    try:
        first = inspect.getsourcelines(owner)[1]
    except (OSError, TypeError):
        return found
    methods = [part for part in tree.body if isinstance(part, ast.FunctionDef) and part.name not in _RECORDS]
    for node in (node for part in methods for node in ast.walk(part)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if "random" not in ast.unparse(node.func):
            continue
        seed = next((keyword.value for keyword in node.keywords if keyword.arg == "seed"), None)
        changed = None
        if isinstance(seed, ast.Constant) and isinstance(seed.value, int) and not isinstance(seed.value, bool):
            changed = {}
        elif isinstance(seed, ast.Attribute) and getattr(seed.value, "id", "") == "self":
            changed = _number(case, seed.attr)
        if changed is not None:
            found.append((ast.unparse(node.func) + f"(..., seed={ast.unparse(seed)})", first + node.lineno - 1, changed))
    return found


def _number(case: Case, attribute: str) -> dict[str, int] | None:
    """The constructor arguments with which an attribute is a whole number; None if it never is."""
    for changed in ({}, {"seed": 3}):
        try:
            value = getattr(case.make(**changed), attribute, None)
        except Exception:
            continue
        if isinstance(value, int) and not isinstance(value, bool):
            return changed
    return None
