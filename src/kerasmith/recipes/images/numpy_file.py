"""`.npy` files, and `.npz` files of one array."""

import io
from pathlib import Path

import numpy as np

from kerasmith.recipes.images.stored import Stored


def read(path: Path) -> Stored:
    """The array, whose axes have no names.

    Raises:
        ValueError: for an archive of several arrays, and for arrays of objects.
    """
    loaded = np.load(path, allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        return Stored(loaded)
    with loaded:
        if len(loaded.files) != 1:
            raise ValueError(
                f"it holds {len(loaded.files)} arrays ({', '.join(map(repr, loaded.files[:5]))}); expected one: "
                "save each with `np.save`"
            )
        return Stored(loaded[loaded.files[0]])


def size(path: Path) -> Stored:
    """The shape, without reading a `.npy` file's values."""
    if path.suffix.lower() == ".npz":
        return read(path)
    return Stored(np.load(path, mmap_mode="r", allow_pickle=False))


def encode(array: np.ndarray) -> bytes:
    """A `.npy` file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()
