"""All samples of some data as one batch."""

import inspect
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from keras import ops, tree


def full_batch(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of all samples, arrays or nests of them; None for what was not given.

    Args:
        data: x alone, a tuple (x, y) or (x, y, sample_weight), or a dataset whose batches are one of these: a
            `tf.data.Dataset`, a PyTorch `DataLoader`, a `keras.utils.PyDataset`. A list or a dict is the x of several inputs.

    Raises:
        ValueError: for data without an end, without samples, or whose parts have different lengths.
        TypeError: for data of another kind.
    """
    batches = [keras.utils.unpack_x_y_sample_weight(batch) for batch in _batches(data)]
    if not batches:
        raise ValueError("The data hold no batch. Give arrays, or a dataset with at least one batch.")
    parts = [_joined(list(part), name) for part, name in zip(zip(*batches), ("x", "y", "sample_weight"), strict=True)]
    lengths = {len(leaf) for leaf in tree.flatten(parts) if leaf is not None}
    if len(lengths) != 1 or lengths == {0}:
        shapes = ", ".join(str(leaf.shape) for leaf in tree.flatten(parts) if leaf is not None)
        raise ValueError(
            f"All parts of the data must hold the same number of samples, at least one. Received shapes: {shapes}"
        )
    return parts[0], parts[1], parts[2]


def _batches(data):
    if isinstance(data, keras.utils.PyDataset):
        count = data.num_batches
        if count is None:
            raise ValueError("The dataset does not end: its `num_batches` is None. Give arrays, or a dataset with an end.")
        return [data[i] for i in range(count)]
    if inspect.isgenerator(data) or int(getattr(data, "cardinality", lambda: 0)()) == -1:
        raise ValueError(
            f"Data without a known end are no full batch. Give arrays, or a dataset with an end. Received: {data!r}"
        )
    if isinstance(data, (tuple, list, dict)) or hasattr(data, "__array__"):
        # Keras would take a list for (x, y).
        return [data if isinstance(data, tuple) else (data,)]
    if isinstance(data, Iterable) and not isinstance(data, (str, bytes)):
        return list(data)
    raise TypeError(
        f"`data` must be x alone, (x, y), (x, y, sample_weight) or a dataset of such batches. Received: data={data!r}"
    )


def _joined(parts, name):
    if any(part is None for part in parts):
        if all(part is None for part in parts):
            return None
        raise ValueError(f"Some batches have `{name}` and others do not.")
    return tree.map_structure(lambda *leaves: _array(leaves), *parts)


def _array(leaves):
    if leaves[0] is None:
        return None
    arrays = [np.asarray(ops.convert_to_numpy(leaf)) for leaf in leaves]
    joined = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    # As `fit` hands them over.
    return joined.astype(keras.config.floatx()) if joined.dtype.kind == "f" else joined
