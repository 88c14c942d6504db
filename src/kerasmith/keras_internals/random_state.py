"""The random generators that no variable of the model holds: Python's, NumPy's, PyTorch's, and that of Keras' unseeded ops."""

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasmith.keras_internals.layers import all_layers

_FOR_NOW: list[int] = []


def capture() -> dict[str, Any]:
    """The state of all of them, as plain data."""
    version, words, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state()  # noqa: NPY002  what users draw from it has to go on
    state = {
        "python": [version, np.array(words, np.uint32), gauss],
        "numpy": [name, keys.copy(), position, has_gauss, cached],
    }
    generator = _keras_generator()
    if generator is not None:
        state["keras"] = np.array(ops.convert_to_numpy(generator.state))
    if keras.backend.backend() == "torch":
        state |= capture_torch()
    return state


def capture_torch() -> dict[str, Any]:
    """The state of PyTorch's generators alone; its dropout draws from them."""
    import torch

    state = {"torch": torch.get_rng_state().numpy().copy()}
    if torch.cuda.is_available():
        state["cuda"] = [one.numpy().copy() for one in torch.cuda.get_rng_state_all()]
    return state


def restore(state: dict[str, Any]) -> None:
    """Puts back what `capture` returned."""
    if "keras" in state:
        _keras_generator(create=True).state.assign(state["keras"])
    version, words, gauss = state["python"]
    random.setstate((version, tuple(int(word) for word in words), gauss))
    np.random.set_state(tuple(state["numpy"]))  # noqa: NPY002
    if "torch" in state:
        restore_torch(state)


def restore_torch(state: dict[str, Any]) -> None:
    """Puts back what `capture_torch` returned."""
    import torch

    torch.set_rng_state(torch.from_numpy(state["torch"].copy()))
    if "cuda" in state and torch.cuda.device_count() == len(state["cuda"]):
        torch.cuda.set_rng_state_all([torch.from_numpy(one.copy()) for one in state["cuda"]])


def forget_generator() -> None:
    """Takes away the generator of Keras' unseeded operations: the next one that needs it makes it anew."""
    from keras.src.backend.common import global_state

    global_state.set_global_attribute("global_seed_generator", None)


@contextlib.contextmanager
def seeded_generators(layer: keras.layers.Layer) -> Iterator[None]:
    """In the block the generators of a layer, and of those inside it, count as made with a seed.

    PyTorch's `keras.random.dropout` draws from no other.
    """
    unseeded = [one for part in all_layers(layer) for one in part._seed_generators if one._initial_seed is None]
    try:
        for one in unseeded:
            one._initial_seed = 0
        yield
    finally:
        for one in unseeded:
            one._initial_seed = None


def tensorflow_is_seeded() -> bool:
    """Whether `keras.utils.set_random_seed` or `tf.random.set_seed` was called; else its order of data cannot be repeated."""
    from tensorflow.python.eager import context

    return context.global_seed() not in (None, *_FOR_NOW)


def seed_tensorflow_for_now(seed: int) -> None:
    """`tf.random.set_seed` with a seed that the next run will not have; it does not count as seeded."""
    import tensorflow as tf

    tf.random.set_seed(seed)
    _FOR_NOW[:] = [seed]


def _keras_generator(create=False):
    # `keras.random.normal(shape)` without a seed draws from it; Keras has no public way to it. Making it draws from Python's.
    from keras.src.backend.common import global_state
    from keras.src.random import seed_generator

    return seed_generator.global_seed_generator() if create else global_state.get_global_attribute("global_seed_generator")
