"""Predictions in the middle of a training that leave no trace in it."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from kerasmith.keras_internals import random_state


def predict(model: keras.Model, x: Any, batch_size: int = 32) -> Any:
    """The model's predictions as float or integer NumPy arrays, in the structure of its outputs.

    Unlike `model.predict` it draws nothing from the random generators that the training draws from (PyTorch's data loader
    does), and puts back generators and weights that the model's own layers change while they predict.

    Args:
        model: a built Keras model; call it between steps, such as at the end of an epoch.
        x: array, or a dict, list or tuple of arrays, with one length.
        batch_size: of one prediction.
    """
    length = len(tree.flatten(x)[0])
    # As `model.predict` does.
    x = tree.map_structure(lambda a: a.astype(keras.config.floatx()) if a.dtype == np.float64 else a, x)
    with without_trace(model):
        batches = []
        for start in range(0, length, batch_size):
            part = tree.map_structure(lambda array, start=start: array[start : start + batch_size], x)
            size = len(tree.flatten(part)[0])
            # One replica's predictions are those of all.
            batches.append(tree.map_structure(lambda y, n=size: as_numpy(y)[:n], model.predict_on_batch(part)))
    return tree.map_structure(lambda *parts: np.concatenate(parts), *batches)


@contextlib.contextmanager
def without_trace(model: keras.Model) -> Iterator[None]:
    """Puts random generators back, and weights that the model's own layers change, after what is done inside."""
    random = random_state.capture()
    state = [(variable, np.array(ops.convert_to_numpy(variable))) for variable in model.non_trainable_variables]
    try:
        yield
    finally:
        for variable, value in state:
            if not np.array_equal(np.asarray(ops.convert_to_numpy(variable)), value):
                variable.assign(value)
        random_state.restore(random)


def as_numpy(value: Any) -> np.ndarray:
    """A NumPy array; half precision, which NumPy does not always know, becomes float32."""
    array = np.asarray(keras.ops.convert_to_numpy(value) if keras.ops.is_tensor(value) else value)
    return array.astype(np.float32) if array.dtype.kind not in "biufcOSU" or array.dtype == np.float16 else array


def samples(x: Any, name: str, most: int | None = None) -> Any:
    """Data given to a callback, as arrays with one length; checked.

    Args:
        x: array, or a dict, list or tuple of arrays.
        name: how errors call it.
        most: how many samples to keep, all by default.

    Raises:
        ValueError: for anything else, such as a dataset, text, or arrays of several lengths.
    """
    leaves = tree.flatten(x)
    arrays = tree.map_structure(lambda leaf: as_numpy(leaf) if hasattr(leaf, "shape") else None, x)
    flat = tree.flatten(arrays)
    if not leaves or any(array is None or array.dtype.kind not in "biuf" for array in flat):
        kinds = [f"{type(leaf).__name__}{f' of {leaf.dtype}' if hasattr(leaf, 'dtype') else ''}" for leaf in leaves]
        kinds = ", ".join(dict.fromkeys(kinds))
        raise ValueError(f"`{name}` must be an array of numbers, or a dict or tuple of such. Received: {kinds or 'nothing'}")
    lengths = {array.shape[0] if array.ndim else 0 for array in flat}
    if len(lengths) != 1 or 0 in lengths:
        shapes = ", ".join(str(array.shape) for array in flat)
        raise ValueError(f"`{name}` must hold samples along its first axis, as many in each array. Received: shapes {shapes}")
    return arrays if most is None else tree.map_structure(lambda array: array[:most], arrays)


def one_array(data: Any, name: str) -> np.ndarray:
    """`data` if it is one array and no structure of several.

    Raises:
        ValueError: if it is.
    """
    if not isinstance(data, np.ndarray):
        raise ValueError(f"`{name}` must be one array, that of the output to look at. Received: a {type(data).__name__}")
    return data


def output_of(predictions: Any, output: str | int | None) -> np.ndarray:
    """One output of a model that may have several.

    Args:
        predictions: as `predict` returns.
        output: name or number of the output; None for the only one.

    Raises:
        ValueError: if there are several and `output` names none of them.
    """
    if output is None and len(tree.flatten(predictions)) == 1:
        return tree.flatten(predictions)[0]
    names = list(predictions) if isinstance(predictions, dict) else list(range(len(tree.flatten(predictions))))
    if output not in names:
        raise ValueError(f"Write output=... with the output to look at, one of {names}. Received: output={output!r}")
    return predictions[output] if isinstance(predictions, dict) else tree.flatten(predictions)[output]
