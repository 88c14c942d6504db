"""The operations that an output of a model comes from, the last one first."""

import contextlib
from typing import Any

import keras
from keras import tree

_MOST_STEPS = 50


def last_operations(model: keras.Model, x: Any) -> list[list[Any]] | None:
    """For each output the layers and operations behind it, from the last one back to the first that has several inputs.

    A graph of layers is read as it is; any other model is called once on symbolic tensors, which its layers note as well.

    Args:
        model: a built model; what the call notes in its layers is for the caller to take away.
        x: a batch, as arrays.

    Returns:
        None where the model takes no symbolic tensors, as one with operations of the backend's own.
    """
    outputs = _symbolic_outputs(model, x)
    return None if outputs is None else [_chain(output) for output in tree.flatten(outputs)]


def _symbolic_outputs(model: keras.Model, x: Any) -> Any:
    graph = getattr(model, "_functional", None) or model
    if getattr(graph, "_outputs_struct", None) is not None:
        return graph._outputs_struct
    with contextlib.suppress(Exception):
        inputs = tree.map_structure(
            lambda leaf: keras.KerasTensor((None, *leaf.shape[1:]), keras.backend.standardize_dtype(leaf.dtype)), x
        )
        return model.call(inputs)
    return None


def _chain(output: Any) -> list[Any]:
    found: list[Any] = []
    while len(found) < _MOST_STEPS:
        history = getattr(output, "_keras_history", None)
        operation = getattr(history, "operation", None)
        if operation is None or type(operation).__name__ == "InputLayer":
            break
        inside = _output_within(operation, output)
        if inside is not None:
            found += _chain(inside)
            break
        found.append(operation)
        sources = operation._inbound_nodes[history.node_index].input_tensors
        if len(sources) != 1:
            break
        output = sources[0]
    return found


def _output_within(operation: Any, output: Any) -> Any:
    """The tensor inside of a model that is a layer of another one."""
    graph = getattr(operation, "_functional", None) or operation
    inside = getattr(graph, "_outputs_struct", None)
    if inside is None:
        return None
    flat, index = tree.flatten(inside), output._keras_history.tensor_index
    return flat[index] if index < len(flat) else None
