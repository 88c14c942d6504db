"""The derivatives that an equation reads, and what it makes of them."""

import numpy as np

from kerasmith.checks.engine.comparison import CLEAR, REARRANGED, differ, farthest, format_numbers
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.fields import Differences, read_derivatives, slopes
from kerasmith.checks.rules.equations.case import SMALL, EquationCase


@check("E103", "equation", "error", requires=("base",), since="0.2.0")
def derivatives_are_slopes(case: EquationCase) -> None:
    """A derivative that the equation reads is not the slope of its field.

    Each derivative is compared with central differences: those of the field that the equation is given, and those of fields
    that it makes itself, such as a coefficient that varies in space. A function that leaves the graph (NumPy,
    `ops.stop_gradient`, `.detach()`) or is flat almost everywhere (`ops.round`, a table) has derivatives that are 0.

    Fix: write the function of the field with smooth functions of `keras.ops`, or give its derivative as a formula.
    """
    with read_derivatives() as found:
        case.residual()
    if not found:
        raise NotApplicable("the equation asks for no derivative")
    differences = Differences(case.points, case.weights())
    for field, axes, output, values in found:
        given = field._source is case.cache["source"]
        expected = differences.numbers(output, axes) if given else slopes(field, axes, output)
        tolerance = REARRANGED if given else CLEAR._replace(relative=0.03)
        if expected is not None and differ(expected, values, tolerance):
            worst = farthest(expected, values)
            text = repr("".join(field.names[axis] for axis in axes))
            raise Failed(
                f"d({text}) = {worst[0]}, by central differences",
                worst[1],
                [*case.field_lines(), f"print({case.call_text()})"],
            )


@check("E106", "equation", "error", requires=("base", "E101"), since="0.2.0")
def depends_on_the_field(case: EquationCase) -> None:
    """The equation leaves the same for every field.

    A term that is 0 whatever the network says costs time and teaches nothing, and its column in the history looks as if the
    equation held; one that is another constant is as idle. So is a condition that is written as a mask, `f["x"] == 0`: points
    are drawn inside of the domain, and none of them lies there.

    Fix: look for a derivative that is subtracted from itself, a factor that is 0, a result that is rounded or compared; write
    what holds at some places only as a `Condition`, with points of its own.
    """
    matters, (here, *_) = case.field_matters, case.answers
    for position, a in enumerate(here):
        if not any(matters[position]):
            which = f"equation {position + 1} of {len(here)}: " if len(here) > 1 else ""
            zero = not np.any(a)
            lines = []
            for field in (0, 1):
                lines += [*case.field_lines(field)[field:], f"print({case.call_text()})"]
            title = "The equation is 0 for every field" if zero and len(here) == 1 else None
            raise Failed("other numbers for another field", f"{which}{format_numbers(a)} for both", lines, title=title)


@check("E107", "equation", "warning", requires=("base", "E101", "E106"), since="0.2.0")
def uses_what_it_asks_for(case: EquationCase) -> None:
    """A derivative is asked for and changes nothing.

    Each derivative costs as much as a pass through the network or more. One without effect is mostly a term that was meant
    to be in the sum.

    Fix: add the term to what is returned, or leave the derivative out.
    """
    differences = Differences(case.points, case.weights())
    before = case.residual(differences=differences)
    names, outputs = case.layout
    for key in [key for key in differences.asked if key[1]]:
        if not any(_matters(case, points, weights, key) for points, weights in case.situations):
            text = "".join(names[axis] for axis in key[1])
            which = f"f.d({text!r})" if len(outputs) == 1 else f"f.d({text!r}, {outputs[key[0]]!r})"
            lines = [*case.field_lines(), f"print({case.call_text()})  # asks for {which}"]
            raise Failed(f"another result with another {which}", f"{format_numbers(before[0])} for both", lines)


def _matters(case, points, weights, key):
    """Whether another derivative makes another result at any of some points."""
    noise = np.random.default_rng(5).uniform(0.5, 1.0, len(points))
    before, after = (
        case.residual(points=points, differences=Differences(points, weights, changed)) for changed in (None, {key: noise})
    )
    return differ(before, after, SMALL)
