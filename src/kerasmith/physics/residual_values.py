"""What the equations of a model leave at single points, outside of a training step."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from kerasmith.objectives import Objective
from kerasmith.objectives.step_inputs import StepInputs
from kerasmith.physics.residual import Residual

_OF_A_BATCH = ("y", "y_true", "y_pred", "sample_weight", "features")


def residual_terms(model: keras.Model) -> list[Residual]:
    """The equations of a model that are asked at the points of its batches.

    Raises:
        ValueError: for a model without such a term, and for an equation that needs labels, which new points do not have.
    """
    objective = getattr(model, "objective", None)
    terms = objective.terms if isinstance(objective, Objective) else []
    found = [term for term in terms if isinstance(term, Residual) and term.points is None]
    if not found:
        has = f"an objective of {', '.join(term.name for term in terms)}" if terms else "a model without an objective"
        raise ValueError(
            "Residuals are looked at of a model that is trained on an equation: "
            f"`model.compile(optimizer, Objective([Residual(pde), ...]))` with kerasmith.Model. Received: {has}"
        )
    for term in found:
        labels = [name for name in term.takes if name in _OF_A_BATCH]
        if labels:
            raise ValueError(
                f"The equation {term.name!r} asks for {labels[0]!r}, which points other than those of a batch do not have. "
                "Give measurements as a `Condition(points, value)` of their own."
            )
    return found


def residual_values(model: keras.Model, x: Any, batch_size: int = 4096, names: Sequence[str] | None = None) -> np.ndarray:
    """sqrt(sum_k w_k r_k(x)^2) at each point, (N,) float64: r_k the residuals, w_k their present weights in the loss.

    Args:
        model: compiled with an `Objective` that has a `Residual`.
        x: (N, D) points.
        batch_size: points at a time.
        names: see `inputs_of`.

    Raises:
        ValueError: see `residual_terms`.
    """
    terms = residual_terms(model)
    objective = model.objective
    quantities = {quantity.name: quantity.value for quantity in objective.quantities}
    step = ops.convert_to_tensor(objective.step)
    balance = None if objective.balance is None else ops.convert_to_numpy(objective.balance.factors())
    factors = []
    for term in terms:
        weight, _ = term.factor(step)
        factor = float(ops.convert_to_numpy(weight)) if ops.is_tensor(weight) else float(weight)
        factors.append(factor * (1.0 if balance is None else float(balance[objective.terms.index(term)])))
    x = np.asarray(x, keras.config.floatx())
    batch_size = min(batch_size, len(x))
    parts = []
    for start in range(0, len(x), batch_size):
        part = x[start : start + batch_size]
        # Batches of one size: JAX and TensorFlow compile their operations once.
        padded = np.concatenate([part, np.repeat(part[-1:], batch_size - len(part), axis=0)])
        points = inputs_of(model, padded, names)
        inputs = StepInputs(points, None, None, None, {}, model, False, step, quantities=quantities)
        squares = [np.asarray(ops.convert_to_numpy(ops.stop_gradient(term._values(inputs))), "float64") for term in terms]
        total = sum(factor * square for factor, square in zip(factors, squares, strict=True))
        parts.append(np.sqrt(np.maximum(total, 0))[: len(part)])
    return np.concatenate(parts)


def inputs_of(model: Any, x: np.ndarray, names: Sequence[str] | None = None) -> Any:
    """Points (N, D) in the form in which a model takes them: one tensor, or one for each of its inputs, in their order.

    Args:
        model: a model, or a function.
        x: (N, D).
        names: of the axes of x; the keys of a dict of inputs are found among them.

    Raises:
        ValueError: for inputs with other axes than the points.
    """
    inputs = getattr(model, "inputs", None) or []
    x = ops.convert_to_tensor(x)
    if len(inputs) < 2:
        return x
    if isinstance(model.input, dict):
        if names is None or set(names) != set(model.input):
            raise ValueError(
                f"The inputs of the model are {', '.join(map(repr, model.input))}. Name the axes of the points so, "
                f"names={list(model.input)}. Received: names={names}"
            )
        flat = {key: len(tensor.shape) == 1 for key, tensor in model.input.items()}
        columns = {key: x[:, list(names).index(key)] for key in flat}
        return {key: column if flat[key] else column[:, None] for key, column in columns.items()}
    widths = [1 if len(tensor.shape) == 1 else tensor.shape[-1] for tensor in inputs]
    if None in widths or sum(widths) != x.shape[1]:
        raise ValueError(f"The inputs of the model have {widths} axes. Received: points with {x.shape[1]}")
    starts = np.cumsum([0, *widths])
    parts = [
        x[:, a] if len(tensor.shape) == 1 else x[:, a:b] for a, b, tensor in zip(starts, starts[1:], inputs, strict=False)
    ]
    return tree.pack_sequence_as(model.input, parts)
