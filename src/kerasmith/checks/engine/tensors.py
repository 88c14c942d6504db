"""NumPy arrays to tensors of the backend and back, through nested lists and dicts."""

import numpy as np

from kerasmith.checks.engine.lazy_keras import keras, ops


def to_tensors(arrays):
    """The same structure with tensors; memory is not shared with the arrays."""
    return keras.tree.map_structure(lambda array: ops.convert_to_tensor(np.array(array)), arrays)


def to_arrays(tensors):
    """The same structure with NumPy arrays of their own."""
    return keras.tree.map_structure(lambda tensor: np.array(ops.convert_to_numpy(tensor)), tensors)


def is_tensor(value):
    """Whether `value` is a tensor of the backend."""
    return keras.backend.is_keras_tensor(value) or ops.is_tensor(value)
