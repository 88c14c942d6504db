"""Which way is better: the loss falls as the predictions come nearer to the labels."""

import numpy as np

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.losses.case import LossCase
from kerasmith.checks.rules.losses.edge_inputs import limits
from kerasmith.checks.rules.losses.reproducers import callable_loss


@check("L123", "loss", "note", requires=("base", "L129"), since="0.1.0")
def better_is_higher(case: LossCase) -> None:
    """Predictions that come nearer to the labels raise the loss.

    A score that is returned as a loss is minimised: training removes the overlap that it should find.

    Fix: return `1 - score` or `-score`.
    """
    case.require_arrays()
    true, pred = case.specs["y_true"], case.specs["y_pred"]
    labels = true.domain in (("integers", 0, 1), ("onehot",)) and limits(pred) == (0.0, 1.0)
    if true.shape != pred.shape or not (labels or true.domain == pred.domain):
        raise NotApplicable("labels and predictions have no common scale")
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
