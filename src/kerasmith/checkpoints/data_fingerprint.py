"""By what the data of a training are known again: lengths, and some samples."""

import hashlib
from typing import Any

import keras
import numpy as np
from keras import tree

_SAMPLES = 32
_BLOCKS, _BLOCK = 64, 1024  # values of one sample


def of_arrays(*parts: Any) -> str | None:
    """Text that is another one for other arrays: of shapes and of 32 samples at equal distances.

    Args:
        parts: arrays or nests of them, None for those that are not there.

    Returns:
        None if a part has no length or cannot be read.

    Example:

    >>> x = np.arange(9)
    >>> of_arrays(x, None) == of_arrays(x.copy(), None), of_arrays(x) == of_arrays(x[::-1])
    (True, False)
    """
    digest = hashlib.sha256()
    try:
        for part in parts:
            digest.update(b"/")
            for leaf in [] if part is None else tree.flatten(part):
                _add(digest, leaf)
    except Exception:  # data may be any object: what cannot be read is not known again, and ends no training
        return None
    return digest.hexdigest()[:16]


def of_dataset(dataset: Any) -> str | None:
    """The same of a dataset of samples that stand in attributes: arrays, and lists of text such as the names of files.

    Args:
        dataset: such as a `keras.utils.PyDataset`; only those that are one of a kind are told apart.

    Returns:
        None if no attribute has samples.
    """
    found = {name: _sample_leaves(value) for name, value in sorted(vars(dataset).items())}
    found = {name: leaves for name, leaves in found.items() if leaves}
    return of_arrays(*[part for name, leaves in found.items() for part in ([name], leaves)]) if found else None


def _sample_leaves(value):
    if isinstance(value, (list, tuple)) and value and all(isinstance(item, str) for item in value):
        return [np.asarray(value)]
    if not isinstance(value, (dict, list, tuple)) and not _is_array(value):
        return []
    leaves = tree.flatten(value)
    return [leaf for leaf in leaves if _is_array(leaf) and not _is_order(leaf)] if len(leaves) <= 64 else []


def _is_order(leaf):
    """Whether it is the numbers of the samples, which a dataset shuffles."""
    numbers = isinstance(leaf, np.ndarray) and leaf.ndim == 1 and leaf.dtype.kind in "iu"
    return numbers and np.array_equal(np.sort(leaf), np.arange(len(leaf)))


def _is_array(leaf):
    return hasattr(leaf, "shape") and hasattr(leaf, "dtype") and len(leaf.shape) > 0


def _add(digest, leaf):
    if isinstance(leaf, str):
        digest.update(leaf.encode("utf-8", "replace"))
        return
    length = int(leaf.shape[0])
    digest.update(str(tuple(map(int, leaf.shape))).encode())
    for row in np.unique(np.linspace(0, length - 1, min(length, _SAMPLES)).astype(int)) if length else ():
        array = _values(leaf.iloc[row] if hasattr(leaf, "iloc") else leaf[int(row)])
        if array.dtype.kind in "fcV":
            array = array.astype("complex64" if array.dtype.kind == "c" else "float32")
        digest.update(repr(array.tolist()).encode() if array.dtype.kind in "OUS" else array.tobytes())


def _values(sample):
    """The values of a sample, 1-D; blocks of a large one, without reading the rest."""
    if hasattr(sample, "toarray"):
        sample = sample.toarray()
    if keras.ops.is_tensor(sample):
        sample = keras.ops.convert_to_numpy(sample)
    flat = np.ravel(np.asarray(sample))
    if flat.size <= _BLOCKS * _BLOCK:
        return flat
    starts = np.linspace(0, flat.size - _BLOCK, _BLOCKS).astype(int)
    return np.concatenate([flat[start : start + _BLOCK] for start in starts])
