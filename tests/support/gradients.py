"""Value and gradient of a function of one tensor, on whichever backend runs, eager or compiled."""

import functools
import os

import keras
import numpy as np


def value_and_grad(function, x, jit=None):
    """The scalar `function(x)` and its gradient as float64 NumPy arrays.

    Args:
        function: maps a backend tensor to a scalar tensor.
        x: array or tensor.
        jit: compile; PyTorch runs eagerly either way, as Keras itself does there by default. None: in the gate JAX compiles,
            as each of a hundred operations of its own takes six times as long. Otherwise eager.
    """
    backend = keras.backend.backend()
    if jit is None:
        jit = backend == "jax" and os.environ.get("KERASMITH_FAST_TO_COMPILE") == "1"
    x = keras.ops.convert_to_tensor(x)
    value, slope = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[backend](function, x, jit)
    return tuple(
        np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(t, "float32" if t.dtype != x.dtype else x.dtype)), "float64")
        for t in (value, slope)
    )


# A function that is asked again is compiled once.
@functools.lru_cache(maxsize=8)
def _tensorflow_function(function, jit):
    import tensorflow as tf

    def both(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = function(x)
        slope = tape.gradient(value, x)
        return value, tf.zeros_like(x) if slope is None else slope

    return tf.function(both, jit_compile=True) if jit else both


@functools.lru_cache(maxsize=8)
def _jax_function(function, jit):
    import jax

    both = jax.value_and_grad(function)
    return jax.jit(both) if jit else both


def _tensorflow(function, x, jit):
    return _tensorflow_function(function, jit)(x)


def _jax(function, x, jit):
    return _jax_function(function, jit)(x)


def _torch(function, x, jit):
    x = x.detach().clone().requires_grad_(True)
    value = function(x)
    value.backward()
    return value.detach(), x.grad
