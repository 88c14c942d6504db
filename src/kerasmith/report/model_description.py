"""What a model and its compilation are, read without changing them."""

from typing import Any

import keras

from kerasmith.keras_internals.optimizers import training_optimizers
from kerasmith.report.describe import describe
from kerasmith.report.tables import table
from kerasmith.report.templating import Markup


def describe_compilation(model: Any) -> dict[str, str]:
    """{name: text} of optimizer, loss, metrics and precision of a compiled Keras model."""
    description = {"model": f"{type(model).__name__} {getattr(model, 'name', '')}".strip()}
    found = training_optimizers(model) if isinstance(model, keras.Model) else {}
    if len(found) > 1:
        description |= {place: describe(optimizer) for place, optimizer in found.items()}
    elif getattr(model, "optimizer", None) is not None:
        description["optimizer"] = describe(model.optimizer)
    objective = getattr(model, "objective", None)
    if hasattr(objective, "terms"):
        description["loss"] = " + ".join(
            f"{describe(term.weight)} * {term.name}: {describe(term.fn)}" for term in objective.terms
        )
        if objective.balance is not None:
            description["balance"] = describe(objective.balance)
    elif getattr(model, "loss", None) is not None:
        description["loss"] = describe(model.loss)
    policy = getattr(model, "dtype_policy", None)
    if policy is not None:
        description["dtype policy"] = getattr(policy, "name", str(policy))
    if getattr(model, "jit_compile", None) is not None:
        description["jit_compile"] = str(model.jit_compile)
    return description


def parameter_counts(model: Any) -> dict[str, int]:
    """{"parameters", "trainable"} of a built model, {} of one without weights yet; what an objective keeps is none of them."""
    try:
        model.count_params()  # raises where there are no weights yet
        others = {id(weight) for weight in getattr(getattr(model, "objective", None), "weights", ())}
        trainable = sum(_size(weight) for weight in model.trainable_weights if id(weight) not in others)
        return {
            "parameters": sum(_size(weight) for weight in model.weights if id(weight) not in others),
            "trainable": trainable,
        }
    except (ValueError, AttributeError, TypeError):
        return {}


def layer_table(model: Any) -> Markup | None:
    """An HTML table of the layers, or None."""
    rows = []
    for layer in getattr(model, "layers", ()):
        try:
            shape = str(layer.output.shape)
        except (AttributeError, ValueError):
            shape = None
        try:
            count = int(layer.count_params())
        except (ValueError, AttributeError):
            count = None
        rows.append({"layer": layer.name, "type": type(layer).__name__, "output": shape, "parameters": count})
    return table(rows) if rows else None


def _size(weight: Any) -> int:
    size = 1
    for length in weight.shape:
        size *= int(length)
    return size
