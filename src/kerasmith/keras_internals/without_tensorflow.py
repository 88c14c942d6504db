"""Keeps TensorFlow out of a process that computes on another backend."""

import contextlib
import sys
from collections.abc import Iterator

# Where Keras asks for TensorFlow only to compare a type or to set its seed as well. Layers that really need it are not here.
_ASKING = ("keras.src.saving.serialization_lib", "keras.src.utils.rng_utils")


class _Absent:
    available = False


@contextlib.contextmanager
def without_tensorflow(backend: str) -> Iterator[None]:
    """In this block `get_config`, `serialize_keras_object` and `set_random_seed` do not import TensorFlow on other backends.

    That import takes seconds, for a question whose answer is no: nothing here is an object of TensorFlow unless somebody has
    imported it already, and then nothing is changed.

    Args:
        backend: the backend of this process.
    """
    if backend == "tensorflow" or "tensorflow" in sys.modules:
        yield
        return
    asking = [sys.modules[name] for name in _ASKING if hasattr(sys.modules.get(name), "tf")]
    before = [module.tf for module in asking]
    for module in asking:
        module.tf = _Absent
    try:
        yield
    finally:
        for module, own in zip(asking, before):
            module.tf = own
