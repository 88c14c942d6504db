"""What a tensor is, without computing on it: rank, static shape, whether its values can be read now."""

import keras
from keras.src.backend import get_keras_mask  # where JAX arrays, which take no attributes, keep it; not public


def static_shape(x, what):
    """The shape of `x` as a tuple with None for unknown sizes; a tensor of unknown rank is refused."""
    try:
        shape = tuple(x.shape)
    except ValueError as error:  # tf.TensorShape of unknown rank
        raise ValueError(
            f"{what} has unknown rank, so its batch and channel axes cannot be told apart. "
            f"Write `tf.ensure_shape({what}, (None, ...))` at the end of the data pipeline."
        ) from error
    return tuple(None if size is None else int(size) for size in shape)


def compatible(shape_a, shape_b):
    """True if two static shapes agree in rank and in every size that both know."""
    return len(shape_a) == len(shape_b) and all(a is None or b is None or a == b for a, b in zip(shape_a, shape_b))


def keras_mask(x):
    """The mask that a Keras layer attached to `x`, or None; ask before `x` is converted."""
    return get_keras_mask(x) if hasattr(x, "shape") else None


def is_concrete(x):
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


def compiled_by_xla():
    """True while TensorFlow traces a function with `jit_compile=True`."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_util

    return not tf.executing_eagerly() and control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def is_float(x):
    """True if `x` holds floating point numbers."""
    return "float" in keras.backend.standardize_dtype(x.dtype)


def accumulation_dtype(dtype):
    """The dtype in which sums are taken: float64 for float64, float32 for everything else."""
    return "float64" if keras.backend.standardize_dtype(dtype) == "float64" else "float32"
