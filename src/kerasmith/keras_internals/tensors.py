"""What Keras and the backends know of a tensor and do not tell: its mask, and whether its values exist yet."""

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from typing import Any

import keras

from kerasmith._types import Tensor


def keras_mask(x: Tensor) -> Tensor | None:
    """The mask that a Keras layer attached to `x`, or None; ask before `x` is converted."""
    # JAX arrays take no attributes, so Keras keeps their masks in a place of its own.
    from keras.src.backend.common.masking import get_keras_mask

    return get_keras_mask(x) if hasattr(x, "shape") else None


def set_keras_mask(x: Tensor, mask: Tensor) -> None:
    """Attaches a mask to `x`, as a layer does."""
    from keras.src.backend.common.masking import set_keras_mask as set_mask

    set_mask(x, mask)


def is_concrete(x: Tensor) -> bool:
    """True if the values of `x` can be read now: not while tracing, compiling or inferring shapes."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return hasattr(x, "numpy") and (tf.executing_eagerly() or not isinstance(x, tf.Variable))
    if backend == "jax":
        import jax

        return not isinstance(x, jax.core.Tracer)
    if backend == "torch":
        import torch

        return not torch.compiler.is_compiling() and x.device.type != "meta"
    return True


_is_outside = contextvars.ContextVar("is_outside", default=False)


@contextlib.contextmanager
def outside_of_the_step() -> Iterator[None]:
    """Operations run now and shapes are inferred as in eager code, whatever TensorFlow is tracing."""
    import tensorflow as tf

    token = _is_outside.set(True)
    try:
        with tf.init_scope():
            yield
    finally:
        _is_outside.reset(token)


def is_symbolic(x: Tensor) -> bool:
    """True if `x` has a shape and will never have values: a `KerasTensor`, or a tensor of PyTorch's meta device."""
    return isinstance(x, keras.KerasTensor) or getattr(getattr(x, "device", None), "type", None) == "meta"


def compiled_by_xla() -> bool:
    """True while TensorFlow traces a function with `jit_compile=True`."""
    if keras.backend.backend() != "tensorflow" or _is_outside.get():
        return False
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_util

    return not tf.executing_eagerly() and control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def output_spec(function: Callable[..., Any], *arguments: Tensor) -> Any:
    """Shapes and dtypes of what a function returns for such tensors, as `KerasTensor`s; nothing is computed."""
    from keras.src.backend import compute_output_spec

    return compute_output_spec(function, *arguments)


def lerp(starts: list[Tensor], ends: list[Tensor], weight: float) -> None:
    """starts <- starts + weight (ends - starts), for lists of PyTorch's tensors in one go."""
    import torch

    torch._foreach_lerp_(starts, ends, weight)
