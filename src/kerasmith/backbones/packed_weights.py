"""Arrays as plain data of a configuration: exact, and checked when they are read again."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasmith._types import Config

_BYTE_ORDER = "<"  # of every machine


def as_arrays(tensors: Sequence[Any]) -> list[np.ndarray]:
    """Tensors as arrays; bfloat16, which NumPy lacks, as float32, which holds the same numbers."""
    kinds = [keras.backend.standardize_dtype(x.dtype) for x in tensors]
    wider = [ops.cast(x, "float32") if kind == "bfloat16" else x for x, kind in zip(tensors, kinds)]
    return [np.asarray(ops.convert_to_numpy(x)) for x in wider]


def fingerprint(arrays: Sequence[np.ndarray]) -> str:
    """A text that tells lists of arrays apart by their shapes, dtypes and values."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape}{array.dtype.name}".encode())
        digest.update(_bytes(array))
    return digest.hexdigest()


def pack(arrays: Sequence[np.ndarray]) -> Config:
    """Arrays as a dict of texts and numbers; a third larger than the arrays."""
    return {
        "shapes": [list(array.shape) for array in arrays],
        "dtypes": [array.dtype.name for array in arrays],
        "data": base64.b64encode(b"".join(map(_bytes, arrays))).decode("ascii"),
        "sha256": fingerprint(arrays),
    }


def unpack(packed: Config) -> list[np.ndarray]:
    """The arrays that `pack` was given.

    Raises:
        ValueError: if they are not those: the file was changed, or is not whole.
    """
    data, arrays, start = base64.b64decode(packed["data"]), [], 0
    for shape, name in zip(packed["shapes"], packed["dtypes"]):
        dtype = np.dtype(name).newbyteorder(_BYTE_ORDER)
        size = int(np.prod(shape, dtype="int64"))
        if start + size * dtype.itemsize > len(data):
            break
        arrays.append(np.frombuffer(data, dtype, size, start).reshape(shape).astype(name))
        start += size * dtype.itemsize
    if fingerprint(arrays) != packed["sha256"]:
        raise ValueError(
            "The weights of the backbone in this file are not those that were saved: the file was changed, or is not whole. "
            "Load an undamaged copy, or `keras.models.load_model(path, compile=False)` without the loss."
        )
    return arrays


def assign(model: keras.Model, arrays: Sequence[np.ndarray]) -> None:
    """Gives a model the weights that were saved with it.

    Raises:
        ValueError: if it has others, in number or shape: its code has changed.
    """
    given, wanted = [array.shape for array in arrays], [tuple(v.shape) for v in model.weights]
    if given != wanted:
        odd = next((pair for pair in zip(given, wanted) if pair[0] != pair[1]), (f"{len(given)}", f"{len(wanted)}"))
        raise ValueError(
            f"The saved weights do not fit the backbone {model.name!r} ({type(model).__name__}), whose code has changed, or "
            f"which was not built by its `build_from_config`. Expected, from the first difference on: {odd[1]}, saved: "
            f"{odd[0]}. Write `get_config`, and `build(input_shape)` that makes every weight."
        )
    for variable, array in zip(model.weights, arrays):
        variable.assign(array)


def _bytes(array):
    return np.ascontiguousarray(array).astype(array.dtype.newbyteorder(_BYTE_ORDER)).tobytes()
