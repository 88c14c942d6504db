"""Arguments of a constructor that are read, and change no number all the same."""

import re

import numpy as np

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.comparison import differ, format_outputs
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.common.arguments import own_arguments, variations
from kerasmith.checks.rules.common.reproducers import run_text

# What may well show nothing on ordinary inputs: guards, sizes, axes, what is left out, a reset.
_QUIET = re.compile(
    r"eps|tol|clip|min|max|seed|ax[ei]s|ignore|missing|num|count|verbose|decay|class|dim|size|name|regular|init|limit|bins|pad|"
    r"window|safe|stable|empty|nan|zero|smooth$|dtype|format|average|mode|reduc|iter|step"
)
_DRAWS = (0, 1, 2)


@check("X114", ("loss", "metric"), "warning", requires=("base", "X113", "X111"), since="0.2.0")
def arguments_change_something(case: Case) -> None:
    """An argument is read and changes no number.

    Smoothed labels that are computed and not handed on, a margin that is added to both sides of a difference: the argument
    seems to work, since code mentions it. Several values of it gave the same numbers on several inputs.

    Fix: look at where the attribute is used, and whether what is computed from it reaches the value that is returned. Remove
    the argument if nothing is to depend on it.
    """
    if case.subject.is_function:
        raise NotApplicable("a function has no constructor")
    for one in variations(case):
        name = one.argument.name
        # What is True or False is often about other inputs than these: about classes, where there is one.
        if one.shows or isinstance(one.value, bool) or not isinstance(one.value, (int, float)) or _QUIET.search(name):
            continue
        values = [type(one.value)(value) for value in (one.value, 3 * one.value + 1, 0.25 * one.value)]
        # An argument may count only where another one switches it on.
        gates = [{}, *({gate: not default} for gate, default in _switches(case))]
        if any(_shows(case, name, value, gate) for gate in gates for value in values):
            continue
        given = ", ".join(f"{key}={value!r}" for key, value in {**case.subject.init, name: one.value}.items())
        raise Failed(
            f"{name}={one.value!r} changes something",
            f"{format_outputs(one.outputs)} with each of {len(values) + 1} values of `{name}`, and so on {len(_DRAWS)} draws",
            [
                f"other = type({case.kind})({given})",
                f"print({run_text(case, case.kind)})",
                f"print({run_text(case, 'other')})",
            ],
        )


def _switches(case: Case) -> list[tuple[str, bool]]:
    """[(name, value)] of the arguments that are True or False."""
    given = {one.name: case.subject.init.get(one.name, one.default) for one in own_arguments(case.subject.cls)}
    return [(name, value) for name, value in given.items() if isinstance(value, bool)]


def _shows(case: Case, name: str, value: object, gate: dict[str, bool]) -> bool:
    """Whether a value of an argument changes the numbers or, of a loss, the gradient, on one of several draws."""
    try:
        for draw in _DRAWS:
            if differ(_numbers(case, draw, gate), _numbers(case, draw, {**gate, name: value})):
                return True
    except Exception:  # a value that is refused is not ignored
        return True
    return False


def _numbers(case: Case, draw: int, changed: dict[str, object]) -> list[np.ndarray]:
    component = case.make(**changed)
    inputs = case.draw(draw)
    if case.kind == "metric":
        metric = case.metric(component)
        # What it says before there are data may be all that an argument decides.
        results = [case.result(metric), case.run((inputs, None), metric=metric)]
        return [np.atleast_1d(value) for result in results for _, value in sorted(result.values.items())]
    loss = case.loss(component)
    values = np.atleast_1d(case.unreduced(loss, inputs["y_true"], inputs["y_pred"]))
    loss = case.loss(case.make(**changed))
    loss.reduction = "sum"
    _, gradient = case.gradient(loss, inputs["y_true"], inputs["y_pred"])
    parts = gradient if isinstance(gradient, list) else list(gradient.values()) if isinstance(gradient, dict) else [gradient]
    return [values, *[np.asarray(part) for part in parts if part is not None]]
