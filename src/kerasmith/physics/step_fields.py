"""Fields that the terms of one training step share: one forward pass, and each derivative once, for all of them."""

from typing import Any

import numpy as np

from kerasmith.objectives.step_inputs import StepInputs
from kerasmith.objectives.step_record import current
from kerasmith.physics.field import Field
from kerasmith.physics.nests import coordinates_of
from kerasmith.physics.passes import evaluate, of_step, refuse_batch_statistics


def field_of_batch(inputs: StepInputs, names: Any, outputs: Any) -> Field:
    """The model's field at the inputs of the batch.

    Args:
        inputs: of the step.
        names, outputs: see `Field`.
    """
    if "batch" not in inputs.shared:
        inputs.shared["batch"] = _batch(inputs)
    derivatives, keys = inputs.shared["batch"]
    return Field.of_derivatives(inputs.model, derivatives, names, outputs, keys)


def _batch(inputs):
    if inputs.x is None:
        raise ValueError("A residual needs the points that the model was given. Pass `x` to `compute_loss`.")
    coordinates = coordinates_of(inputs.x)
    refuse_batch_statistics(inputs.model, inputs.training)
    record = current()
    found = of_step(inputs.model, coordinates, inputs.y_pred) if record is not None and record.differentiable else None
    return found or evaluate(inputs.model, coordinates, inputs.training)


def field_at_points(inputs: StepInputs, key: Any, x: np.ndarray, names: Any, outputs: Any) -> Field:
    """The model's field at the points of one or more terms.

    Args:
        inputs: of the step.
        key: names this set of points within the step.
        x: (N, D).
        names, outputs: see `Field`.
    """
    if key not in inputs.shared:
        inputs.shared[key] = evaluate(inputs.model, coordinates_of(_like_batch(x, inputs)), inputs.training, apart=True)
    derivatives, keys = inputs.shared[key]
    return Field.of_derivatives(inputs.model, derivatives, names, outputs, keys)


def _like_batch(x, inputs):
    """Points (N, D) in the form in which the model takes its inputs: one array, or several with some of the axes each."""
    batch = coordinates_of(inputs.x) if inputs.x is not None else None
    if batch is None or (len(batch.leaves) == 1 and len(batch.leaves[0].shape) == 2):
        return x
    if x.shape[1] != len(batch.columns):
        raise ValueError(
            f"The points of a condition must have the {len(batch.columns)} axes of the model. Received: shape {x.shape}"
        )
    leaves = []
    for i, leaf in enumerate(batch.leaves):
        axes = [axis for axis, (owner, _) in enumerate(batch.columns) if owner == i]
        leaves.append(x[:, axes[0]] if len(leaf.shape) == 1 else x[:, axes])
    return batch.pack(leaves)
