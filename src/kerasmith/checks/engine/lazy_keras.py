"""Keras, imported when a check first asks for it: `kerasmith explain` and the parent of the workers never do; its tensors."""

import importlib
from typing import Any

import numpy as np


class _Later:
    """Stands for a module until an attribute of it is read."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


keras: Any = _Later("keras")
ops: Any = _Later("keras.ops")


def backend() -> str:
    """What Keras runs on in this process: "tensorflow", "jax" or "torch"."""
    return keras.config.backend()


def to_tensors(arrays: Any) -> Any:
    """The same structure with tensors; memory is not shared with the arrays."""
    return keras.tree.map_structure(lambda array: ops.convert_to_tensor(np.array(array)), arrays)


def to_arrays(tensors: Any) -> Any:
    """The same structure with NumPy arrays of their own."""
    return keras.tree.map_structure(lambda tensor: np.array(ops.convert_to_numpy(tensor)), tensors)


def is_tensor(value: Any) -> bool:
    """Whether `value` is a tensor of the backend."""
    return keras.backend.is_keras_tensor(value) or ops.is_tensor(value)
