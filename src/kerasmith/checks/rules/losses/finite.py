"""The value of a loss at the edges of its domain."""

import numpy as np

from kerasmith.checks.engine.comparison import format_numbers
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.losses.case import LossCase
from kerasmith.checks.rules.losses.edge_inputs import FAR, edges, fail_at, limits
from kerasmith.checks.rules.losses.reproducers import callable_loss, unreduced_loss

_NEARER = (10.0, 20.0)
# The logarithm of what float32 holds.
_LARGEST = 88.0
_CLIP = (
    "Clip what goes into the exponential, such as `ops.clip(log_variance, -10, 10)`; with outputs that stay small it is right."
)


@check("L108", "loss", "error", since="0.1.0")
def finite_at_the_edges(case: LossCase) -> None:
    """The loss is NaN or infinite at the edges of its domain.

    Probabilities of exactly 0 and 1 occur (a sigmoid of 20 is 1 in float32), empty masks occur, logits of 100 occur early in
    training. One such sample makes the loss of the batch NaN, and with the next step all weights of the network.

    Fix: clip probabilities before a logarithm, add a small number to a denominator that can be 0, write formulas with
    exponentials in their stable form (`ops.logaddexp`, `ops.softplus`,
    `keras.losses.binary_crossentropy(from_logits=True)`).
    """
    large = None
    for index, point in enumerate(edges(case)):
        values = case.unreduced(case.loss(), point.y_true, point.y_pred)
        if np.all(np.isfinite(values)):
            continue
        bad = values[~np.isfinite(values)]
        actual = f"{bad.flat[0]} in {bad.size} of {values.size} values"
        failed = fail_at(point, "finite values", actual, [*unreduced_loss(case), "print(loss(y_true, y_pred))"])
        if not _is_truly_large(case, index):
            raise failed
        large = large or failed
    if large is not None:
        large.severity, large.title, large.fix = "warning", "The loss is larger than float32 holds at far values", _CLIP
        raise large


def _is_truly_large(case, index):
    """Whether the values at an edge are too large for float32 whatever the formula, as an exponential of a log-variance is.

    The growth between two nearer points tells: log(1 + exp(x)), 10 and 20 there, is 100 at 100 and overflows by its form.
    """
    near, far = (edges(case, far=value)[index] for value in _NEARER)
    values = [case.unreduced(case.loss(), point.y_true, point.y_pred) for point in (near, far)]
    if not all(np.all(np.isfinite(value)) for value in values) or np.min(np.abs(values)) == 0:
        return False
    logarithms = [np.log(np.abs(value)) for value in values]
    growth = (logarithms[1] - logarithms[0]) / (_NEARER[1] - _NEARER[0])
    return bool(np.all(logarithms[1] + growth * (FAR - _NEARER[1]) > _LARGEST))


@check("L132", "loss", "warning", requires=("base", "L104", "L108", "L123"), since="0.1.0")
def empty_mask(case: LossCase) -> None:
    """On an empty mask the loss is as high for a perfect prediction as for a wrong one.

    Overlap losses of the form 1 - 2 I / (P + Y + tiny) are 1 wherever nothing is to be found, whatever is predicted: images
    without the object, often most of them, raise the loss, give no gradient, and false alarms on them are never unlearnt.

    Fix: add the same constant to numerator and denominator, 1 - (2 I + s) / (P + Y + s), so that an empty prediction on
    an empty mask scores 0.
    """
    case.contract.require("per_sample")
    case.require_arrays()
    true, pred = case.specs["y_true"], case.specs["y_pred"]
    is_mask = true.shape == pred.shape and len(true.shape) >= 3 and true.shape[-1] == 1 and true.domain == ("integers", 0, 1)
    if not is_mask or limits(pred) != (0.0, 1.0):
        raise NotApplicable("the labels are not masks with one channel, or the predictions not probabilities")
    inputs = case.inputs
    empty, full = np.zeros_like(inputs["y_true"]), np.ones_like(inputs["y_true"])
    nothing, everything = np.zeros_like(inputs["y_pred"]), np.ones_like(inputs["y_pred"])
    best, worst = (np.mean(case.unreduced(case.loss(), empty, p)) for p in (nothing, everything))
    hit, miss = (np.mean(case.unreduced(case.loss(), full, p)) for p in (everything, nothing))
    if not miss - hit > 0.05 * max(abs(miss), abs(hit)):
        raise NotApplicable("on a full mask a perfect prediction is not better either")
    if best >= worst - 0.01 * (miss - hit) and best > hit + 0.5 * (miss - hit):
        raise Failed(
            f"a loss near {format_numbers(hit)} for an empty prediction of an empty mask, as for a full one of a full mask",
            f"{format_numbers(best)}; with every pixel predicted wrongly {format_numbers(worst)}",
            [
                *callable_loss(case),
                "y_true = np.zeros_like(y_true)",
                "print(loss(y_true, np.zeros_like(y_pred)), loss(y_true, np.ones_like(y_pred)))",
            ],
        )
