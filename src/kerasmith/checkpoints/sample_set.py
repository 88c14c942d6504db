"""By what a set of samples is known again: arrays, tables and lists, whatever their order."""

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np

from kerasmith.checkpoints.data_fingerprint import of_arrays

_VALUES = 2**24  # of an array that are looked at
_FEWEST, _MOST = 4, 256  # of them in one sample
_LONGEST = 2_000_000
_SEQUENCES = (list, tuple, set, frozenset)
_START, _FACTOR = np.uint64(0xCBF29CE484222325), np.uint64(0x9E3779B97F4A7C15)


class SampleSet(NamedTuple):
    """What is kept of samples, as text.

    Attributes:
        samples: the same for the same samples in any order, also where files of the same names lie in another directory.
        exact: the same for the same samples in the same order.
    """

    samples: str
    exact: str


def sample_set(value: Any) -> SampleSet | None:
    """By what samples are known again; None if there are none, or it is not known how to read them.

    Args:
        value: an array or a tensor, a table of pandas, or a nest of lists, tuples, sets and dicts with arrays, text, paths and
            numbers. Of each sample some values are looked at. Arrays that are read from a file are known in their order only.

    Example:

    >>> x = np.arange(9)
    >>> one, other = sample_set(x), sample_set(x[::-1])
    >>> one.samples == other.samples, one.exact == other.exact, one.samples == sample_set(x + 1).samples
    (True, False, False)
    """
    try:
        if not len(value):
            return None
        if _is_file(value):
            found = of_arrays(value)
            return None if found is None else SampleSet(found, found)
        prefix = _directory(_texts(value))
        exact = _of(value, "", ordered=True)
        return SampleSet(_text(_of(value, prefix, ordered=False)), _text(exact))
    except Exception:  # data may be any object: what cannot be read is not known again, and ends no training
        return None


def _of(value: Any, prefix: str, ordered: bool) -> np.uint64:
    """64 bits of a nest."""
    if hasattr(value, "iloc"):
        return _joined(sys.modules["pandas"].util.hash_pandas_object(value, index=False).to_numpy(), ordered)
    if keras.ops.is_tensor(value) or isinstance(value, keras.Variable):
        value = keras.ops.convert_to_numpy(value)
    if hasattr(value, "toarray"):
        value = value.toarray()
    if hasattr(value, "shape") and not isinstance(value, np.generic):
        return _of_array(np.asarray(value), prefix, ordered)
    if isinstance(value, Mapping):
        value = [_Pair(item) for item in sorted(value.items(), key=lambda item: str(item[0]))]
    if isinstance(value, _SEQUENCES):
        if len(value) > _LONGEST:
            raise ValueError("too long")
        is_set = isinstance(value, (set, frozenset))
        parts = [_of(part, prefix, ordered) for part in value]
        return _joined(np.array(parts, np.uint64), (ordered and not is_set) or isinstance(value, _Pair))
    return _of_item(value, prefix)


class _Pair(tuple):
    """A key and its value, which do not change places."""

    __slots__ = ()


def _of_array(array, prefix, ordered):
    kind = array.dtype.kind
    if kind in "OUST" or array.dtype.names:
        return _of(array.tolist(), prefix, ordered)
    if array.ndim == 0:
        return _of_item(array.item(), prefix)
    shape = _of_item(repr(array.shape[1:]), "")
    if array.size == 0:
        return shape
    columns = _columns(array)
    if kind in "fV":
        bits = np.ascontiguousarray(columns, "float32").view("uint32")
    elif kind == "c":
        bits = np.ascontiguousarray(columns, "complex64").view("uint32")
    else:
        bits = np.ascontiguousarray(columns, "uint8" if kind == "b" else None).astype("int64").view("uint64")
    rows = np.full(len(array), _START)
    for column in bits.T:
        rows = _mixed(rows ^ column)
    return _mixed(_joined(rows, ordered) ^ shape)


def _columns(array):
    """(n, k) of the (n, ...): values at equal distances of each sample, without reading the others."""
    size = int(np.prod(array.shape[1:]))
    count = min(size, int(np.clip(_VALUES // len(array), _FEWEST, _MOST)))
    if array.ndim == 1:
        return array[:, None]
    places = np.linspace(0, size - 1, count).astype(int)
    return array[(slice(None), *np.unravel_index(places, array.shape[1:]))]


def _of_item(value, prefix):
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (os.PathLike, str, bytes)):
        content = "t" + _as_text(value).removeprefix(prefix)
    elif value is None or isinstance(value, (bool, int, float, complex)):
        content = f"n{value!r}"
    else:
        raise TypeError(f"no sample: {type(value).__name__}")
    return np.frombuffer(hashlib.blake2b(content.encode("utf-8", "replace"), digest_size=8).digest(), np.uint64)[0]


def _as_text(value):
    text = os.fspath(value)
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text


def _joined(hashes, ordered):
    hashes = np.asarray(hashes, np.uint64)
    places = np.arange(len(hashes), dtype=np.uint64)
    with np.errstate(over="ignore"):
        each = _mixed(hashes ^ _mixed(places)) if ordered else _mixed(hashes)
        return _mixed(each.sum(dtype=np.uint64) + np.uint64(len(hashes)))


def _mixed(bits):
    with np.errstate(over="ignore"):
        bits = (bits ^ (bits >> np.uint64(30))) * _FACTOR
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return bits ^ (bits >> np.uint64(31))


def _texts(value: Any) -> Iterator[str]:
    """The paths in a nest of lists."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "OU":
        value = value.tolist()
    if isinstance(value, Mapping):
        value = [part for item in value.items() for part in item]
    if isinstance(value, _SEQUENCES):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, (os.PathLike, str, bytes)):
        text = _as_text(value)
        if "/" in text or "\\" in text:
            yield text


def _directory(texts: Iterable[str]) -> str:
    """The directory that paths have in common, with the stroke at its end."""
    texts = list(texts)
    first, last = min(texts, default=""), max(texts, default="")
    common = first[: next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]
    return common[: max(common.rfind("/"), common.rfind("\\")) + 1]


def _is_file(value):
    """Whether it is read from a file piece by piece: a `numpy.memmap`, a dataset of h5py or zarr."""
    if isinstance(value, np.memmap):
        return True
    known = isinstance(value, np.ndarray) or keras.ops.is_tensor(value) or isinstance(value, keras.Variable)
    return not known and all(hasattr(value, name) for name in ("shape", "dtype", "__getitem__", "chunks"))


def _text(bits):
    return f"{int(bits):016x}"
