"""The losses among the terms of an objective, each with the output that it reads."""

import dataclasses
from typing import Any

from kerasmith.checks.engine.lazy_keras import keras, to_arrays
from kerasmith.checks.harness.eager import as_tensors, without_gradients
from kerasmith.checks.rules.setups.outputs import SetupOutput


def outputs_of_terms(case: Any) -> list[SetupOutput]:
    """An output for each term that compares one output with its labels by a loss.

    Args:
        case: the `SetupCase` of a model that trains on an objective.
    """
    y_pred = case.call(case.x)
    position = {id(tensor): index for index, tensor in enumerate(keras.tree.flatten(y_pred))}
    data = as_tensors(case.x), as_tensors(case.y), y_pred, as_tensors(case.sample_weight)
    found = []
    for judged in case.model.objective.judged_outputs(case.model, *data):
        index = position.get(id(judged.y_pred))
        if index is None:
            continue
        with without_gradients():
            y_true, weight = (None if one is None else to_arrays(one) for one in (judged.y_true, judged.sample_weight))
        given = {"loss": judged.loss, "losses": [judged.loss], "loss_weight": judged.weight}
        found.append(dataclasses.replace(case.outputs[index], y_true=y_true, sample_weight=weight, **given))
    return found
