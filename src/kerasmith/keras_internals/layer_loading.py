"""How layers take their state from a file, and where in it they look."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras


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
    """Lets the file of a model's weights be one of its inner model too: what that looks for is linked, not copied.

    Args:
        path: what `save_weights` of a model has written whose layers are one other model, and `others`.
        others: names in the file of layers that are no part of the inner model.
    """
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
