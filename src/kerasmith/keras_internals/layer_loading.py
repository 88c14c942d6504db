"""How layers take their state from a file, and where in it they look."""

import contextlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import keras

from kerasmith.files.atomic_write import put_in_place


@contextlib.contextmanager
def loading_by(
    layers: Iterable[keras.layers.Layer], wrap: Callable[[Callable[[Any], None]], Callable[[Any], None]]
) -> Iterator[None]:
    """A context in which `load_own_variables` of each layer is what `wrap` makes of it."""
    layers = list(layers)
    for layer in layers:
        # Not by `setattr`, which Keras watches.
        object.__setattr__(layer, "load_own_variables", wrap(layer.load_own_variables))
    try:
        yield
    finally:
        for layer in layers:
            object.__delattr__(layer, "load_own_variables")


def share_with_inner(path: str | os.PathLike[str], others: Iterable[str]) -> None:
    """Lets the weights in a file be those of a model's inner model too: what that looks for is linked, not copied.

    Args:
        path: what `save` or `save_weights` of a model has written whose layers are one other model, and `others`: a
            `.weights.h5`, a `.keras` or, with `zipped=False`, a directory.
        others: names in the file of layers that are no part of the inner model.
    """
    path = Path(path)
    if path.is_dir():
        path /= _WEIGHTS
    if path.is_file() and zipfile.is_zipfile(path):
        _share_in_archive(path, others)
    elif path.is_file() and path.suffix == ".h5":
        _share(path, others)


_WEIGHTS = "model.weights.h5"


def _share_in_archive(path, others):
    """No member of an archive can be changed in place: it is written anew beside the old one."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as place:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if _WEIGHTS not in names:
                return
            archive.extractall(place)
        _share(Path(place, _WEIGHTS), others)
        draft = Path(place, "draft")
        with put_in_place(path, draft), zipfile.ZipFile(draft, "w") as archive:
            for name in names:
                archive.write(Path(place, name), name)


def _share(path, others):
    import h5py

    with h5py.File(path, "r+") as file:
        layers = file.get("layers", {})
        inner = [layers[name] for name in layers if name not in set(others)]
        if len(inner) == 1:
            _link(inner[0], file)


def _link(source, target):
    for name, part in source.items():
        if name not in target:
            target[name] = part
        elif hasattr(part, "items"):
            _link(part, target[name])
