"""The gradient of the mean square of what an equation leaves, by the network and by unknown coefficients."""

import numpy as np

from kerasmith.checks.engine.comparison import differ, format_numbers
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import backend
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.equations.case import FIELDS, SMALL, EquationCase

# A gradient that lacks a term is off by more; float32 and the step of the difference by less.
_SHARE = 0.05
_STEPS = (0.02, 0.01)


@check("E104", "equation", "error", requires=("base", "E101", "E106"), since="0.2.0")
def gradient_reaches_the_network(case: EquationCase) -> None:
    """No gradient of the equation reaches the network.

    The loss is computed and shown, and training does not lower it. The value left the graph: through NumPy, `float`, a
    comparison, `ops.stop_gradient`, `.detach()`, or an operation whose slope is 0, such as `ops.round`.

    Fix: compute with functions of `keras.ops` from what the field gives to what is returned.
    """
    case.require_power()
    try:
        gradients = [case.gradient(field=field)[1] for field in range(FIELDS)]
    except Exception as error:
        raise Failed("a gradient", describe_error(error), _lines(case)) from None
    if not any(gradient is not None and np.any(gradient) for gradient in gradients):
        losses = " and ".join(f"{sum(np.mean(np.square(part)) for part in answer):.4g}" for answer in case.answers)
        actual = "no gradient" if gradients[0] is None else "0"
        raise Failed(f"a gradient of the loss, which is {losses} for two networks", actual, _lines(case))


@check("E105", "equation", "error", requires=("base", "E101", "E102", "E104"), since="0.2.0")
def gradient_is_that_of_the_value(case: EquationCase) -> None:
    """The gradient is not the one of what the equation returns.

    A part of the equation is cut off from the gradient, or has one of its own: training then follows another equation than
    the one whose loss is shown, and may end where this one does not hold.

    Fix: take `ops.stop_gradient`, NumPy or the custom gradient out of the equation. Where it is meant, declare
    `kerasmith_contract = {"exact_gradient": False}`.
    """
    case.contract.require("exact_gradient")
    case.require_power()
    _, gradient = case.gradient()
    slope = _slope(case)
    if slope is None:
        raise Inconclusive("the value is not smooth: two finite differences disagree")
    found = float(np.sum(gradient * _direction(case)))
    scale = max(abs(slope), float(np.linalg.norm(gradient)))
    if abs(found - slope) > _SHARE * scale:
        raise Failed(f"a slope of {slope:.5g}, by central differences", f"{found:.5g}, by the gradient", _lines(case))


@check("E108", "equation", "error", requires=("base", "E101"), since="0.2.0")
def unknowns_matter(case: EquationCase) -> None:
    """Nothing depends on an argument of the equation.

    An `Unknown` of this name keeps its first value for ever, and its column in the history looks as if it had converged.

    Fix: use the argument in what is returned, or leave it out.
    """
    _require_unknowns(case)
    before = case.residual()
    for name in case.unknowns:
        other = case.unknown(name) + 0.4
        changed = {name: np.float32(other)}
        if not any(
            differ(case.residual(points=points, weights=w), case.residual(points=points, weights=w, changed=changed), SMALL)
            for points, w in case.situations
        ):
            lines = [*case.field_lines(), f"print({case.call_text()})", f"print({case.call_text(**{name: repr(other)})})"]
            raise Failed(f"other numbers for another {name}", f"{format_numbers(before[0])} for both", lines)


@check("E109", "equation", "error", requires=("base", "E101", "E104", "E108"), since="0.2.0")
def gradient_reaches_the_unknowns(case: EquationCase) -> None:
    """No gradient reaches an argument of the equation, so that an unknown coefficient is never learned.

    Its column in the history stays at the first value. The argument left the graph: through `float`, NumPy, `.item()`, or
    `ops.stop_gradient`.

    Fix: use the argument as the tensor that it is, with functions of `keras.ops`.
    """
    _require_unknowns(case)
    for name in case.unknowns:
        try:
            _, gradient = case.gradient(name)
        except Exception as error:
            raise Failed(f"a gradient by {name}", describe_error(error), _lines(case, name)) from None
        if gradient is None or not np.any(gradient):
            ahead, behind = (case.loss(changed={name: np.float32(case.unknown(name) + step)}) for step in (0.05, -0.05))
            if ahead == behind:
                raise Inconclusive(f"the mean square does not change with {name} here")
            text = "no gradient" if gradient is None else "0"
            raise Failed(f"a slope of {(ahead - behind) / 0.1:.4g} by {name}", text, _lines(case, name))


def _require_unknowns(case):
    if not case.unknowns:
        raise NotApplicable("the equation has no argument but the field")


def _direction(case):
    return np.random.default_rng(11).choice([-1.0, 1.0], case.weights().a.shape)


def _slope(case):
    """The slope of the loss along a direction of the last layer; None where finite differences of two steps disagree."""
    weights, direction = case.weights(), _direction(case)

    def at(step):
        return case.loss(weights=weights._replace(a=(weights.a + step * direction).astype("float32")))

    wide, narrow = ((at(step) - at(-step)) / (2 * step) for step in _STEPS)
    best = (4 * narrow - wide) / 3
    return best if abs(wide - narrow) <= 0.1 * max(abs(wide), abs(narrow), 1e-6) else None


def _lines(case, unknown=None):
    """[lines] that print the gradient of the mean square by the last layer `a`, or by an unknown."""
    variable = unknown or "a"
    start = f"np.float32({case.unknown(unknown)})" if unknown else "a"
    call = case.call_text(**({unknown: unknown} if unknown else {}))
    *imports, drawing, net, field = case.field_lines()
    square = "lambda r: keras.ops.mean(keras.ops.square(keras.ops.stack(r) if isinstance(r, (list, tuple)) else r))"
    head = [
        *imports,
        drawing,
        f"square = {square}",
        f"def loss({variable}):",
        f"    {net}",
        f"    {field}",
        f"    return square({call})",
    ]
    if backend() == "torch":
        return [
            *head,
            f"import torch; v = torch.tensor({start}, requires_grad=True); value = loss(v)",
            "print(torch.autograd.grad(value, v, allow_unused=True) if value.requires_grad else None)",
        ]
    if backend() == "tensorflow":
        return [
            *head,
            f"import tensorflow as tf; v = tf.Variable({start})",
            "with tf.GradientTape() as tape: value = loss(v)",
            "print(tape.gradient(value, v))",
        ]
    return [*head, f"import jax; print(jax.grad(loss)({start}))"]
