"""Names by which a reader finds a layer, or the owner of a weight, in a model."""

import re
from typing import Any

import keras

from kerasmith.keras_internals.layers import all_layers

_WORDS = re.compile(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])")


def named_layers(model: keras.Model) -> list[tuple[str, Any]]:
    """Pairs (name, layer or operation) of all parts of a model, parents first: `dense`, `block`, `block/dense`.

    The operations of a functional graph, such as that of `ops.log(x)`, are parts too. Where two have the same name, as Keras
    allows outside of a graph, the second is `dense#1`.

    Example:

    >>> block = keras.Sequential([keras.layers.Dense(2, name="dense")], name="block")
    >>> [name for name, _ in named_layers(keras.Sequential([keras.Input((3,)), block, keras.layers.Dense(1, name="last")]))]
    ['block', 'block/dense', 'last']
    """
    found, seen, counts = [], {id(model)}, {}

    def visit(parent, prefix):
        for part in _parts(parent):
            if id(part) in seen or isinstance(part, keras.layers.InputLayer):
                continue
            seen.add(id(part))
            # Sequential keeps its graph in a model of its own, which is no part that a reader knows.
            name = prefix + part.name
            counts[name] = counts.get(name, -1) + 1
            name += f"#{counts[name]}" if counts[name] else ""
            found.append((name, part))
            visit(part, name + "/")

    visit(model, "")
    return found


def weight_owners(model: keras.Model) -> dict[int, str]:
    """{id of a trainable variable: name of the innermost layer that has it}."""
    owners = {id(variable): model.name for variable in model.trainable_variables}
    for name, layer in named_layers(model):
        owners.update({id(variable): name for variable in getattr(layer, "trainable_variables", ())})
    return owners


def _parts(layer):
    if isinstance(layer, keras.Sequential):
        return layer.layers
    operations = list(getattr(layer, "operations", ()))
    known = {id(operation) for operation in operations}
    children = all_layers(layer, include_self=False, recursive=False) if isinstance(layer, keras.layers.Layer) else []
    return operations + [child for child in children if id(child) not in known]


def named_by_keras(model: keras.Model) -> set[str]:
    """Names of a model and its layers that Keras made from their class, such as `dense_3`, and not the user.

    >>> layers = [keras.layers.Conv1D(1, 3, name="conv1d_9"), keras.layers.Dense(1, name="last")]
    >>> sorted(named_by_keras(keras.Sequential(layers, name="score")))
    ['conv1d_9']
    """
    return {
        layer.name
        for layer in all_layers(model)
        if re.sub(r"_\d+$", "", layer.name) == _WORDS.sub("_", type(layer).__name__).lower()
    }
