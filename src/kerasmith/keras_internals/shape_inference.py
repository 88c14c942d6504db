"""What Keras' inference of shapes leaves behind on PyTorch.

Keras runs a function on tensors without values first, on PyTorch's device "meta", and where that raises, once more on ordinary
tensors, in the same stateless scope: the new values of variables from the first try are still there, on a device that no other
tensor is on. The second try then ends in "Tensor on device cpu is not on the expected device meta", and the first error, which
said what is wrong, is lost.
"""

import contextlib
from collections.abc import Iterator

import keras
from keras import ops


@contextlib.contextmanager
def clean_retry() -> Iterator[None]:
    """Around code that reads and writes variables: a second try finds the scope as the first one found it."""
    if keras.backend.backend() != "torch":
        yield
        return
    from keras.src.backend.common.stateless_scope import get_stateless_scope

    scope = get_stateless_scope()
    if scope is not None and ops.zeros(()).device.type != "meta":
        _forget_meta_values(scope)
    try:
        yield
    except Exception:
        if scope is not None:
            _forget_meta_values(scope)
        raise


def _forget_meta_values(scope):
    mapping = scope.state_mapping
    for key in [key for key, value in mapping.items() if getattr(getattr(value, "device", None), "type", None) == "meta"]:
        del mapping[key]
