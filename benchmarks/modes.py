"""How each backend runs a loss: the ways in which `fit` would call it."""

import keras
import numpy as np


def modes():
    """Names of the modes of the backend in use."""
    return {"tensorflow": ("tf.function", "tf.function jit"), "jax": ("jit",), "torch": ("eager",)}[keras.backend.backend()]


def prepare(contender, mode):
    """Zero-argument calls that compute the value, and value and gradient, each finished when it returns.

    Returns:
        (forward, both): `both` gives (value, gradient by y_pred).
    """
    make = {"eager": _torch, "jit": _jax}.get(mode, _tensorflow)
    return make(contender, mode)


def to_numpy(x):
    return np.asarray(x.detach() if hasattr(x, "detach") else x)


def _torch(contender, mode):
    import torch

    torch.set_num_threads(1)
    y, p = torch.from_numpy(contender.y_true), torch.from_numpy(contender.y_pred).requires_grad_()

    def forward():
        with torch.no_grad():
            return contender.loss(y, p)

    def both():
        value = contender.loss(y, p)
        return value, torch.autograd.grad(value, p)[0]

    return forward, both


def _jax(contender, mode):
    import jax

    y, p = jax.numpy.asarray(contender.y_true), jax.numpy.asarray(contender.y_pred)
    value = jax.jit(contender.loss)
    gradient = jax.jit(jax.value_and_grad(contender.loss, argnums=1))
    return lambda: value(y, p).block_until_ready(), lambda: jax.block_until_ready(gradient(y, p))


def _tensorflow(contender, mode):
    import tensorflow as tf

    y, p = tf.constant(contender.y_true), tf.constant(contender.y_pred)

    @tf.function(jit_compile=mode.endswith("jit"))
    def value(y, p):
        return contender.loss(y, p)

    @tf.function(jit_compile=mode.endswith("jit"))
    def gradient(y, p):
        with tf.GradientTape() as tape:
            tape.watch(p)
            result = contender.loss(y, p)
        return result, tape.gradient(result, p)

    return lambda: value(y, p), lambda: gradient(y, p)
