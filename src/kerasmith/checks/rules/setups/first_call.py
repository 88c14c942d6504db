"""The model, its loss and its metrics computed once."""

import contextlib
from typing import Any

from kerasmith.checks.engine import registry
from kerasmith.checks.engine.finding import Failed, Inconclusive
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.eager import as_tensors, without_gradients
from kerasmith.checks.harness.fit_data import leaves_of
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.finite import ids_are_in_the_embedding
from kerasmith.checks.rules.setups.label_ids import ids_have_units
from kerasmith.checks.rules.setups.label_shapes import ids_or_one_hot, labels_meet_their_predictions
from kerasmith.checks.rules.setups.label_values import labels_are_in_the_domain, labels_are_numbers
from kerasmith.checks.rules.setups.loss_on_batch import loss_depends_on_predictions
from kerasmith.checks.rules.setups.metric_shapes import metric_takes_these_labels
from kerasmith.checks.rules.setups.output_and_loss import softmax_over_one_unit
from kerasmith.checks.rules.setups.several_outputs import names_reach_their_output

_INPUTS = (names_reach_their_output, ids_are_in_the_embedding)
_LABELS = (
    names_reach_their_output,
    labels_are_numbers,
    softmax_over_one_unit,
    loss_depends_on_predictions,
    labels_are_in_the_domain,
    ids_have_units,
    ids_or_one_hot,
    labels_meet_their_predictions,
    metric_takes_these_labels,
)


@check("T000", "setup", "error", requires=(), since="0.2.0")
def set_up_runs(case: SetupCase) -> None:
    """`fit` stops at the first batch: model, labels, loss and metrics do not fit together.

    The model is called on the first batch, then its loss and its metrics are computed as `fit` computes them.

    Fix: mend what the message names. The last layer has one unit for each column of `y`; with ids of classes in `y` it has one
    for each class, and the loss is a sparse one.
    """
    inputs, labels = (", ".join(str(tuple(leaf.shape)) for leaf in leaves_of(part)) for part in (case.x, case.y))
    try:
        y_pred = case.call(case.x)
    except Inconclusive as error:
        if case.has_own_step:
            return  # its step may call other things than the model
        known = {"fix": "mend what the message names: `x` needs the structure, rank and dtype that the first layer takes."}
        raise Failed(
            f"outputs for x of shape {inputs}",
            str(error).partition(": ")[2],
            ["model(x)"],
            title=_title("model", "inputs"),
            **known | _why(case, _INPUTS),
        ) from error.__cause__
    if case.has_own_step:
        return
    y, weight = as_tensors(case.y), as_tensors(case.sample_weight)
    from kerasmith.checks.engine.lazy_keras import keras

    outputs = ", ".join(str(tuple(leaf.shape)) for leaf in keras.tree.flatten(y_pred))
    shapes = f"y of shape {labels or 'none'} and outputs of shape {outputs}"
    for part, function in (("loss", case.model.compute_loss), ("metrics", case.model.compute_metrics)):
        try:
            with case.restored(), without_gradients(), _as_a_step(case):
                # Taps record in the pass of the step whose loss reads them.
                outputs_of_step = case.model(as_tensors(case.x)) if case.is_objective else y_pred
                function(as_tensors(case.x), y, outputs_of_step, weight)
        except Exception as error:
            raise Failed(
                f"the {part} of {shapes}",
                describe_error(error),
                ["y_pred = model(x)", f"print(model.compute_{part}(x, y, y_pred, sample_weight=None))"],
                title=_title(part, "labels and outputs"),
                **_why(case, _LABELS),
            ) from error


def _as_a_step(case: SetupCase) -> contextlib.AbstractContextManager[Any]:
    """What a step of an objective runs in."""
    if not case.is_objective:
        return contextlib.nullcontext()
    from kerasmith.objectives.step_record import recording

    return recording()


def _why(case: SetupCase, rules: tuple[Any, ...]) -> dict[str, Any]:
    """{"fix", "cause"} of the first check that knows why `fit` stops, {} where none does."""
    for rule in rules:
        try:
            rule(case)
        except Failed as found:
            (known,) = (one for one in registry.CHECKS.values() if one.run is rule)
            return {"fix": found.fix or known.fix, "cause": known.id}
        except Exception:  # no answer is no cause
            continue
    return {}


def _title(what: str, whose: str) -> str:
    verb = "do not" if what == "metrics" else "does not"
    return f"`fit` stops at the first batch: the {what} {verb} take these {whose}"
