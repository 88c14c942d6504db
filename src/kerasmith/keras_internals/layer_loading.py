"""Replaces how layers take their state from a file, for as long as one is read."""

import contextlib
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
