"""The gradient of a loss is there, is that of its value, and is finite."""

import re

import numpy as np

from kerasmith.checks.engine.comparison import format_numbers
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import backend, keras
from kerasmith.checks.engine.messages import first_line
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.gradients import directional
from kerasmith.checks.rules.losses.case import LossCase, leaves
from kerasmith.checks.rules.losses.edge_inputs import edges, fail_at, perfect
from kerasmith.checks.rules.losses.reproducers import callable_loss, gradient_of

_DRAWS = 3


@check("L110", "loss", "error", requires=("base", "L129"), since="0.1.0")
def gradient_detached(case: LossCase) -> None:
    """The value depends on the predictions, but no gradient reaches them.

    Thresholds, `argmax`, `round`, casts to integers, NumPy and `stop_gradient` cut the graph: the loss is shown and does not
    train. Depending on the backend the gradient is None, zero everywhere, or an exception.

    Fix: use a smooth form (probabilities instead of decisions, `ops` instead of NumPy); for a step that must stay, write the
    gradient with `ops.custom_gradient` or add `ops.stop_gradient(hard - soft)` to the soft value.
    """
    case.contract.require("uses_y_pred")
    lines = [*callable_loss(case), *gradient_of()]
    for draw in range(_DRAWS):
        inputs = case.draw(draw)
        try:
            _, gradient = case.slope if draw == 0 else case.gradient(case.free(), **inputs)
        except Exception as error:
            raise Failed(
                f"a gradient, as the value changes with y_pred on {backend()}",
                f"{type(error).__name__} while differentiating: {first_line(error)}",
                lines,
                title="The loss cannot be differentiated",
            ) from None
        found = [part for part in leaves(gradient) if part is not None]
        if any(np.any(part) for part in found):
            return
        if not found:
            raise Failed(
                "a gradient, as the value changes with y_pred", "None: the graph does not connect them", lines, **_doubt(case)
            )
    raise Failed(
        "a gradient somewhere, as the value changes with y_pred",
        f"0 for all of {_DRAWS} draws of the inputs",
        lines,
        **_doubt(case),
    )


def _doubt(case):
    """A plain function that no name calls a loss may be a metric, which needs no gradient."""
    if not case.subject.is_function or re.search(r"loss|cost|entropy|objective|penalty", case.subject.name.lower()):
        return {}
    return {
        "severity": "warning",
        "title": "No gradient reaches the predictions: a metric, or a loss that trains nothing",
        "fix": 'Ask it as a metric if it is one, `--kind metric` (kind="metric" in Python). A loss needs a smooth form.',
    }


@check("L111", "loss", "error", requires=("base", "L110", "L127"), since="0.1.0")
def gradient_of_another_function(case: LossCase) -> None:
    """The gradient is not that of the value.

    A factor that is detached, a gradient written by hand with the wrong sign or scale: the optimizer descends another
    function than the one that is shown.

    Fix: derive the gradient again and compare it with finite differences; remove `ops.stop_gradient` from factors that
    depend on the predictions. If the difference is intended (straight-through estimators), declare
    `exact_gradient=False`.
    """
    for promise in ("exact_gradient", "uses_y_pred", "deterministic", "stateful"):
        case.contract.require(promise)
    wrong, compared = [], 0
    for draw in range(_DRAWS):
        outcome = _compared(case, draw)
        if outcome is None:
            continue
        compared += 1
        if abs(outcome[0] - outcome[1]) <= 0.05 * max(abs(outcome[0]), abs(outcome[1])):
            return
        wrong.append(outcome)
    if not compared:
        raise Inconclusive("finite differences at two step sizes do not agree with each other")
    difference, slope = wrong[0]
    raise Failed(
        f"slope {difference:.4g} along a direction, by central differences of the sum over the samples",
        f"{slope:.4g} by the gradient ({slope / difference:.3g} times)" if difference else f"{slope:.4g} by the gradient",
        _slope_lines(case),
    )


@check("L112", "loss", "error", requires=("base", "L108", "L110"), since="0.1.0")
def gradient_not_finite(case: LossCase) -> None:
    """The value is finite, its gradient is NaN or infinite at the edges of the domain.

    The square root of 0 has an infinite slope, and infinity times 0 is NaN. `ops.where` does not help: the branch that is
    not taken is differentiated as well. One sample that fits exactly then turns all weights of the network into NaN.

    Fix: keep the argument away from the singularity, `ops.sqrt(x + epsilon)`, or replace it before the operation:
    `ops.where(x > 0, ops.sqrt(ops.where(x > 0, x, 1.0)), 0.0)`.
    """
    case.contract.require("uses_y_pred")
    points = [point for point in (perfect(case, rows=1), *edges(case)) if point is not None]
    for point in points:
        value, gradient = case.gradient(case.free(), point.y_true, point.y_pred)
        parts = [part for part in leaves(gradient) if part is not None]
        if np.isfinite(value) and not all(np.all(np.isfinite(part)) for part in parts):
            bad = next(part[~np.isfinite(part)] for part in parts if not np.all(np.isfinite(part)))
            lines = [*callable_loss(case), *gradient_of()]
            raise fail_at(
                point,
                f"a finite gradient, as the value {format_numbers(value)} is finite",
                f"{bad.flat[0]} in {bad.size} places",
                lines,
            )


@check("L131", "loss", "error", requires=("base", "L112"), since="0.1.0")
def missing_labels_in_the_gradient(case: LossCase) -> None:
    """Missing labels (NaN) are left out of the value and spoil the gradient.

    `ops.where(known, square(y_true - y_pred), 0)` gives the right number, but the branch that is not taken is
    differentiated too, and its slope is NaN. The first batch with a missing label turns all weights of the network into
    NaN.

    Fix: replace the label before computing with it, `ops.where(known, y_true, 0.0)`, and use `ops.where` on the result as
    well.
    """
    case.contract.require("uses_y_true")
    case.require_arrays()
    inputs = case.inputs
    if not case.specs["y_true"].dtype.startswith("float"):
        raise NotApplicable("labels are integers")
    if not re.search(r"nan|isfinite", case.subject.source()[0].lower()):
        raise NotApplicable("its text does not speak of NaN")
    inputs["y_true"].reshape(len(inputs["y_true"]), -1)[0, 0] = np.nan
    try:
        value, gradient = case.gradient(case.free(), **inputs)
    except Exception:  # such labels are refused
        value, gradient = np.nan, None
    if not np.isfinite(value) or gradient is None:
        raise NotApplicable("NaN is no label of this loss")
    bad = gradient[~np.isfinite(gradient)]
    if bad.size:
        lines = [*callable_loss(case), "y_true.reshape(len(y_true), -1)[0, 0] = np.nan", *gradient_of()]
        raise Failed(
            f"a finite gradient, as the value {format_numbers(value)} is finite", f"{bad.flat[0]} in {bad.size} places", lines
        )


def _compared(case, draw):
    """(slope by differences, slope by the gradient) of the sum along a direction; None if the differences are doubtful."""
    inputs = case.draw(draw)
    _, gradient = case.slope if draw == 0 else case.gradient(case.free(), **inputs)
    arrays = keras.tree.flatten(inputs["y_pred"])
    specs = _in_order(case.specs["y_pred"])
    parts = [np.zeros_like(a) if g is None else g for a, g in zip(arrays, leaves(gradient))]
    if not all(np.all(np.isfinite(part)) for part in parts):
        return None
    rng = np.random.default_rng(case.seed + draw)
    directions = [_direction(array, part, spec, rng) for array, part, spec in zip(arrays, parts, specs)]
    slope = float(sum(np.sum(d.astype("float64") * p) for d, p in zip(directions, parts)))

    def total(*leaves):
        pred = keras.tree.pack_sequence_as(inputs["y_pred"], list(leaves))
        return float(np.sum(case.unreduced(case.loss(), inputs["y_true"], pred)))

    scale = max(abs(total(*arrays)), abs(slope))
    coarse, fine = (directional(total, arrays, directions, step) for step in (4e-3, 2e-3))
    if abs(coarse - fine) > 0.02 * max(abs(coarse), abs(fine)) or max(abs(fine), abs(slope)) < 0.02 * scale:
        return None
    return fine, slope


def _in_order(specs):
    """[Spec] as `keras.tree.flatten` orders arrays; it would take a `Spec`, a tuple, apart."""
    if isinstance(specs, dict):
        return [leaf for key in sorted(specs) for leaf in _in_order(specs[key])]
    return [leaf for part in specs for leaf in _in_order(part)] if isinstance(specs, list) else [specs]


def _direction(array, gradient, spec, rng):
    """A direction that stays inside the domain, partly along the gradient so that the slope is large."""
    biggest = np.max(np.abs(gradient)) or 1.0
    direction = gradient / biggest + 0.3 * rng.normal(size=array.shape)
    if spec.domain == ("simplex",):
        direction = direction - direction.mean(axis=-1, keepdims=True)
        # No probability may leave [0, 1].
        direction = direction * np.minimum(array, 1 - array)
        direction = direction - array * direction.sum(axis=-1, keepdims=True)
    return (direction / max(np.max(np.abs(direction)), 1e-12)).astype(array.dtype)


def _slope_lines(case):
    if isinstance(case.specs["y_pred"], (dict, list)):
        return [*callable_loss(case), "print(loss(y_true, y_pred))  # compare with its gradient"]
    return [
        *callable_loss(case),
        'loss.reduction = "sum"',
        "print((float(loss(y_true, y_pred + 2e-3)) - float(loss(y_true, y_pred - 2e-3))) / 4e-3)  # sum of the gradient",
        *gradient_of(),
    ]
