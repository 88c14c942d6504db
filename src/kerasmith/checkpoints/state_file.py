"""One file that holds a tree of plain data and arrays: written whole or not at all, and never read back damaged."""

import hashlib
import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np

_MAGIC = b"kerasmith state 1\n"
_DIGEST_SIZE = hashlib.sha256().digest_size
_ARRAY = "__array__"


class Damaged(Exception):
    """The file is cut off, altered, or no state file."""


def pack(tree: Any) -> tuple[bytes, list[np.ndarray]]:
    """(JSON, arrays) of a tree, for `write`.

    Args:
        tree: dicts with string keys, lists, tuples, None, bool, int, float, str and NumPy arrays. Floats and arrays read back
            bit for bit, tuples as lists.

    Raises:
        TypeError: for anything else, with its place in the tree.
    """
    arrays = []
    text = json.dumps(_plain(tree, arrays, "state")).encode()
    return text, arrays


def write(path: str | os.PathLike[str], packed: tuple[bytes, list[np.ndarray]]) -> None:
    """Replaces `path` in one step: draft, flush to the disk, rename.

    Layout: a line that names the format, the SHA-256 of the rest, the length of the JSON, the JSON, the bytes of the arrays.

    Args:
        path: the file; its directory must exist.
        packed: what `pack` returned.

    Raises:
        OSError: the disk's own errors; `path` is untouched then.
    """
    path = Path(path)
    text, arrays = packed
    digest = hashlib.sha256()
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(draft, "wb") as file:
            file.write(_MAGIC + bytes(_DIGEST_SIZE))
            for block in (struct.pack("<Q", len(text)), text, *(array.reshape(-1).view(np.uint8).data for array in arrays)):
                digest.update(block)
                file.write(block)
            file.seek(len(_MAGIC))
            file.write(digest.digest())
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    _flush_directory(path.parent)


def read(path: str | os.PathLike[str]) -> Any:
    """The tree that `pack` was given.

    Raises:
        Damaged: if a single byte is not as it was written.
    """
    try:
        content = memoryview(Path(path).read_bytes())
    except OSError as error:
        raise Damaged(f"it cannot be read: {error}") from error
    start = len(_MAGIC) + _DIGEST_SIZE
    if len(content) < start + 8:
        raise Damaged(f"it has {len(content)} bytes, less than the head of a state file")
    if content[: len(_MAGIC)] != _MAGIC:
        raise Damaged("it does not begin as a state file")
    if hashlib.sha256(content[start:]).digest() != content[len(_MAGIC) : start]:
        raise Damaged("its content does not match its checksum")
    length = struct.unpack("<Q", content[start : start + 8])[0]
    text = content[start + 8 : start + 8 + length]
    return _with_arrays(json.loads(bytes(text)), _Reader(content[start + 8 + length :]))


class _Reader:
    """Takes one array after the other out of the bytes."""

    def __init__(self, content):
        self.content, self.position = content, 0

    def array(self, dtype, shape):
        dtype = _dtype(dtype)
        count = int(np.prod(shape, dtype=np.int64))
        end = self.position + count * dtype.itemsize
        found = np.frombuffer(self.content[self.position : end], np.uint8).copy().view(dtype).reshape(shape)
        self.position = end
        return found


def _plain(value, arrays, place):
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise TypeError(f"`{place}` is an array of objects. Write numbers or text instead.")
        arrays.append(np.ascontiguousarray(value))
        # `str` tells the byte order too, but all types that NumPy does not know by itself (bfloat16) are "V2" there.
        return {_ARRAY: [value.dtype.name if value.dtype.kind == "V" else value.dtype.str, list(value.shape)]}
    if isinstance(value, dict):
        odd = [key for key in value if not isinstance(key, str) or key == _ARRAY]
        if odd:
            raise TypeError(f"The keys of `{place}` must be strings. Received: {odd[0]!r}")
        return {key: _plain(item, arrays, f"{place}[{key!r}]") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, arrays, f"{place}[{i}]") for i, item in enumerate(value)]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(
        f"`{place}` cannot be saved: a state is made of None, bool, int, float, str, NumPy arrays, lists and dicts. "
        f"Received: {type(value).__name__}"
    )


def _with_arrays(value, reader):
    if isinstance(value, dict):
        if _ARRAY in value:
            return reader.array(*value[_ARRAY])
        return {key: _with_arrays(item, reader) for key, item in value.items()}
    return [_with_arrays(item, reader) for item in value] if isinstance(value, list) else value


def _dtype(name):
    try:
        return np.dtype(name)
    except TypeError:
        import ml_dtypes  # bfloat16 and the like, which NumPy does not know by itself

        return np.dtype(getattr(ml_dtypes, name))


def _flush_directory(directory):
    """Makes the rename itself survive a power cut, where the system can."""
    try:
        handle = os.open(directory, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
