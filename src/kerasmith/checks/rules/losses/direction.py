"""Which way is better: the loss falls as the predictions come nearer to the labels."""

import numpy as np

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.losses.case import LossCase
from kerasmith.checks.rules.losses.edge_inputs import limits
from kerasmith.checks.rules.losses.reproducers import callable_loss

# So many of the samples must be better off elsewhere: a margin, or a class of its own weight, makes a few.
_MOST = 0.3


@check("L123", "loss", "note", requires=("base", "L129"), since="0.1.0")
def better_is_higher(case: LossCase) -> None:
    """Predictions that come nearer to the labels raise the loss.

    A score that is returned as a loss is minimised: training removes the overlap that it should find.

    Fix: return `1 - score` or `-score`.
    """
    labels = _require_common_scale(case)
    changes = []
    for draw in (0, 1):
        inputs = case.draw(draw)
        near = (inputs["y_pred"] + 0.5 * (inputs["y_true"] - inputs["y_pred"])).astype(inputs["y_pred"].dtype)
        change = case.values_of({**inputs, "y_pred": near}) - (case.values if draw == 0 else case.values_of(inputs))
        changes.append(np.atleast_1d(change).reshape(-1))
    rising = np.concatenate(changes) > 1e-6
    if np.mean(rising) > 0.9:
        raise Failed(
            "a lower loss for predictions half way to the labels",
            f"{np.mean(np.concatenate(changes)):+.4g} on average, higher for {np.mean(rising):.0%} of the values",
            [*callable_loss(case), "print(loss(y_true, y_pred), loss(y_true, (y_pred + y_true) / 2))"],
            severity="warning" if labels else None,
        )


@check("L136", "loss", "warning", requires=("base", "L104", "L108", "L121", "L123", "L129", "L134"), since="0.2.0")
def perfect_is_best(case: LossCase) -> None:
    """Predictions that equal the labels cost more than others do.

    A plus for a minus, a product for a quotient, an argument in the wrong place: the loss falls in training, towards
    predictions that are not the labels. What is lowest elsewhere trains for something else than its name says.

    Fix: look for the operator or the argument with which the value is lowest at `y_pred = y_true`. A loss that is meant to be
    lowest elsewhere, as one that pushes apart, may stay.
    """
    labels = _require_common_scale(case)
    inputs = case.inputs
    near = ""
    if labels:
        # Sure, and not wholly: smoothed labels make a probability of exactly 1 dear.
        rest = "0.2 / y_true.shape[-1]" if case.specs["y_true"].domain == ("onehot",) else "0.1"
        near = f" * 0.8 + {rest}"
    rest = 0.0 if not labels else 0.2 / inputs["y_true"].shape[-1] if "shape" in near else 0.1
    perfect = ((0.8 if labels else 1.0) * inputs["y_true"] + rest).astype(inputs["y_pred"].dtype)
    best = case.samples(case.values_of({**inputs, "y_pred": perfect}))
    others = [case.samples(case.values_of({**inputs, "y_pred": case.draw(draw)["y_pred"]})) for draw in (0, 1, 2)]
    if not np.all(np.isfinite(best)) or not all(np.all(np.isfinite(values)) for values in others):
        raise NotApplicable("the value is not finite for predictions that equal the labels")
    worse = np.concatenate([best > values + 1e-3 * np.abs(values) + 1e-6 for values in others])
    if np.mean(worse) > _MOST:
        raise Failed(
            f"the lowest value where y_pred is y_true{near}",
            f"{np.mean(best):.4g} there, {np.mean(others[0]):.4g} elsewhere; higher for {np.mean(worse):.0%} of the samples",
            [*callable_loss(case), f"print(loss(y_true, y_true{near}), 'there;', loss(y_true, y_pred), 'elsewhere')"],
        )


def _require_common_scale(case):
    """Whether the labels are 0 and 1 and the predictions probabilities; ends a check where no prediction equals the labels."""
    case.require_arrays()
    true, pred = case.specs["y_true"], case.specs["y_pred"]
    labels = true.domain in (("integers", 0, 1), ("onehot",)) and limits(pred) == (0.0, 1.0)
    if true.shape != pred.shape or not (labels or true.domain == pred.domain):
        raise NotApplicable("labels and predictions have no common scale")
    return labels
