"""Value and gradient of a function of tensors, on every backend, and finite differences to compare with."""

from collections.abc import Callable
from typing import Any

import numpy as np

from kerasmith.checks.engine.lazy_keras import backend, ops


def value_and_gradients(function: Callable[..., Any], arrays: list[np.ndarray]) -> tuple[float, list[np.ndarray | None]]:
    """(value, [gradient, ...]) of a scalar function of float arrays.

    Args:
        function: `(*tensors) -> scalar tensor`.
        arrays: NumPy arrays of floats, one per argument.

    Returns:
        A float and NumPy arrays; None in place of a gradient where the graph does not connect the value with the argument
        (JAX has no such notion and gives zeros).
    """
    return {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[backend()](function, arrays)


def directional(function: Callable[..., float], arrays: list[np.ndarray], directions: list[np.ndarray], step: float) -> float:
    """The central difference of a function of NumPy arrays, which returns a float, along `directions`."""
    ahead = function(*[a + (step * d).astype(a.dtype) for a, d in zip(arrays, directions)])
    behind = function(*[a - (step * d).astype(a.dtype) for a, d in zip(arrays, directions)])
    return (ahead - behind) / (2 * step)


def _tensorflow(function: Callable[..., Any], arrays: list[np.ndarray]) -> tuple[float, list[np.ndarray | None]]:
    import tensorflow as tf

    tensors = [tf.convert_to_tensor(array) for array in arrays]
    with tf.GradientTape() as tape:
        for tensor in tensors:
            tape.watch(tensor)
        value = function(*tensors)
    gradients = tape.gradient(value, tensors)
    return _number(value), [None if g is None else np.array(ops.convert_to_numpy(tf.convert_to_tensor(g))) for g in gradients]


def _jax(function: Callable[..., Any], arrays: list[np.ndarray]) -> tuple[float, list[np.ndarray | None]]:
    import jax
    import jax.numpy as jnp

    tensors = [jnp.asarray(array) for array in arrays]
    value, gradients = jax.value_and_grad(function, argnums=tuple(range(len(tensors))))(*tensors)
    return _number(value), [np.array(g) for g in gradients]


def _torch(function: Callable[..., Any], arrays: list[np.ndarray]) -> tuple[float, list[np.ndarray | None]]:
    import torch

    tensors = [ops.convert_to_tensor(np.array(array)).detach().requires_grad_(True) for array in arrays]
    with torch.enable_grad():
        value = function(*tensors)
    if not value.requires_grad:
        return _number(value), [None] * len(tensors)
    gradients = torch.autograd.grad(value, tensors, allow_unused=True)
    return _number(value), [None if g is None else ops.convert_to_numpy(g.detach()).copy() for g in gradients]


def _number(value: Any) -> float:
    return float(ops.convert_to_numpy(ops.stop_gradient(value)))
