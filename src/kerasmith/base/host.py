"""Work that only NumPy code can do, called from wherever a metric happens to run."""

import sys
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.keras_internals.tensors import compiled_by_xla, is_concrete


def host_is_reachable() -> bool:
    """False where a compiler forbids host calls: inside TensorFlow functions with `jit_compile=True`."""
    return not compiled_by_xla()


def call_on_host(
    function: Function, inputs: Sequence[Tensor], shape: tuple[int | None, ...], dtype: str = "float32"
) -> Tensor:
    """`function(*arrays)` on NumPy arrays, eagerly or from a traced program.

    Args:
        function: takes NumPy arrays, returns one; must be pure, a compiler may call it again or not at all.
        inputs: tensors.
        shape: static shape of the result; None where it is unknown, and then the size of `inputs[0]` along that axis.
        dtype: dtype of the result.

    Raises:
        RuntimeError: inside TensorFlow functions with `jit_compile=True`, see `host_is_reachable`.
    """

    def on_arrays(*arrays):
        return np.asarray(function(*(np.asarray(a) for a in arrays)), dtype)

    if all(is_concrete(x) for x in inputs):
        return ops.convert_to_tensor(on_arrays(*(ops.convert_to_numpy(x) for x in inputs)), dtype)
    backend = keras.backend.backend()
    if backend == "torch":  # shape inference on the meta device
        return inputs[0].new_zeros(tuple(size or 1 for size in shape), dtype=getattr(sys.modules["torch"], dtype))
    if backend == "jax":
        import jax

        # Not None but a symbol while Keras infers shapes.
        shape = tuple(inputs[0].shape[axis] if size is None else size for axis, size in enumerate(shape))
        return jax.pure_callback(on_arrays, jax.ShapeDtypeStruct(shape, dtype), *inputs, vmap_method="sequential")
    if not host_is_reachable():
        raise RuntimeError(
            "XLA cannot call the host from TensorFlow. Write `works_on_host = True` in the class of the metric, which then "
            "takes up each batch after its step, or `model.compile(..., jit_compile=False)`."
        )
    import tensorflow as tf

    result = tf.numpy_function(on_arrays, inputs, dtype, stateful=False)
    result.set_shape(shape)
    return result
