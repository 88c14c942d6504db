"""Listens to every layer of a model during one eager pass."""

import contextlib
import functools
from collections.abc import Iterator
from typing import NamedTuple

import keras
from keras import ops, tree

from kerasmith._types import Tensor
from kerasmith.keras_internals.layer_names import named_layers
from kerasmith.keras_internals.tensors import is_concrete


class Call(NamedTuple):
    """One call of a layer: what went in and what came out, lists of floating-point tensors."""

    key: str
    name: str
    inputs: list[Tensor]
    outputs: list[Tensor]


@contextlib.contextmanager
def traced(model: keras.Model, shifts: dict[str, list[Tensor]] | None = None) -> Iterator[list[Call]]:
    """A context in which calls of the model's layers are noted in a list, in the order in which they return.

    Args:
        model: the model.
        shifts: {key of a call: list of tensors to add to its outputs}, to differentiate by.
    """
    calls, counts, patched = [], {}, []

    def listen(name, original):
        @functools.wraps(original)
        def call(*args, **kwargs):
            result = original(*args, **kwargs)
            counts[name] = number = counts.get(name, 0) + 1
            key = f"{name}:{number}"
            if shifts is not None:
                return _shifted(result, shifts.get(key))
            outputs = _tensors(result)
            if outputs and all(is_concrete(tensor) for tensor in outputs):
                calls.append(Call(key, name, _tensors((args, kwargs)), outputs))
            return result

        return call

    try:
        for name, layer in named_layers(model):
            # Not by `setattr`, which Keras watches.
            object.__setattr__(layer, "call", listen(name, layer.call))
            patched.append(layer)
        yield calls
    finally:
        for layer in patched:
            layer.__dict__.pop("call", None)


def _tensors(structure):
    return [leaf for leaf in tree.flatten(structure) if ops.is_tensor(leaf) and _is_float(leaf)]


def _is_float(tensor):
    try:
        return "float" in keras.backend.standardize_dtype(tensor.dtype)
    except ValueError:
        return False


def _shifted(result, shifts):
    if not shifts:
        return result
    rest = iter(shifts)
    return tree.map_structure(lambda leaf: leaf + next(rest) if ops.is_tensor(leaf) and _is_float(leaf) else leaf, result)
