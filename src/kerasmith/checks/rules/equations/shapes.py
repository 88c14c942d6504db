"""One number a point, which depends on this point alone."""

import numpy as np

from kerasmith.checks.engine.comparison import CLEAR, SUMMED, differ
from kerasmith.checks.engine.finding import Failed, Inconclusive
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.equations.case import EquationCase


@check("E101", "equation", "error", since="0.2.0")
def one_number_a_point(case: EquationCase) -> None:
    """The equation does not return one number a point.

    Everything that is read from a field has shape (B,). Where it meets a tensor of shape (B, 1), such as labels or the
    values of a network, the result is (B, B): every point against every other. A mean over the points leaves nothing to weigh,
    and lets errors of different signs cancel before they are squared.

    Fix: bring the other tensor to (B,) with `ops.reshape(other, (-1,))`, and return the values of the points, without a mean.
    """
    count = len(case.points)
    for part in case.residual():
        if part.shape != (count,):
            lines = [
                *case.field_lines(),
                f"print(np.shape(keras.ops.convert_to_numpy(keras.ops.stop_gradient({case.call_text()}))))",
            ]
            raise Failed(f"shape ({count},)", f"shape {part.shape}", lines)


@check("E102", "equation", "error", requires=("base", "E101"), since="0.2.0")
def points_are_independent(case: EquationCase) -> None:
    """What the equation leaves at a point depends on the other points of the batch.

    Points of a batch are drawn at random: they are no grid, and their neighbours in the array are not their neighbours in
    space. Differences between rows, `ops.roll`, or a mean over the batch make the loss another one for each batch.

    Fix: take derivatives with `f.d("x")`. A term that means to average, such as an integral, declares
    `kerasmith_contract = {"independent": False}`.
    """
    case.contract.require("independent")
    moved, points = case.draw(1)["points"], case.points
    moved[0] = points[0]
    before, after = case.residual(), case.residual(points=moved)
    if not any(differ(a[1:], b[1:], CLEAR) for a, b in zip(before, after, strict=True)):
        raise Inconclusive("nothing changes with the points")
    for a, b in zip(before, after, strict=True):
        scale = max(np.abs(a).max(), np.abs(b).max())
        if differ(np.append(a[:1], scale), np.append(b[:1], scale), SUMMED):
            lines = [
                *case.field_lines(),
                f"print({case.call_text()})",
                "points[1:] = points[:0:-1].copy() + 0.01; f = Field(net, points, f.names, f.outputs)",
                f"print({case.call_text()})  # the first point is the same",
            ]
            raise Failed(f"{a[0]:.6g} at a point, whatever the others are", f"{b[0]:.6g} beside other points", lines)
