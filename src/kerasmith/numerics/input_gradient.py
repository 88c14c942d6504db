"""The gradient of a function by its argument, which can be differentiated in turn, on each backend."""

import sys
from collections.abc import Callable

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.keras_internals.inner_state import inner_state


def value_and_input_gradient(function: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    """`function(x)` and the gradient of its sum by `x`, in eager code, in a training step and where nothing is recorded.

    Where no sample changes the result of another, row i of the gradient is that of sample i. Both results can be
    differentiated once more, by weights or by `x`. The function may read and assign variables, as a layer does; where the
    result does not depend on `x` the gradient is 0.

    Args:
        function: from a tensor to a tensor of any shape.
        x: a tensor of floating-point numbers.

    Example:

    >>> value, gradient = value_and_input_gradient(lambda x: x**3, ops.convert_to_tensor([1.0, 2.0]))
    >>> ops.convert_to_numpy(value).tolist(), ops.convert_to_numpy(gradient).tolist()
    ([1.0, 8.0], [3.0, 12.0])
    """
    return _DIFFERENTIATE[keras.backend.backend()](function, ops.convert_to_tensor(x))


def _tensorflow(function, x):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        inside = tf.identity(x)
        tape.watch(inside)
        values = function(inside)
    return values, tf.convert_to_tensor(tape.gradient(values, inside, unconnected_gradients="zero"))


def _jax(function, x):
    import jax

    states = []

    def total(inside):
        with inner_state() as state:
            values = function(inside)
        states.append(state)
        return values.sum(), (values, state.values)

    gradient, (values, assigned) = jax.grad(total, has_aux=True)(x)
    states[-1].assign(assigned)
    return values, gradient


def _torch(function, x):
    torch = sys.modules["torch"]
    is_recorded = torch.is_grad_enabled()
    with torch.enable_grad():
        # An alias: what else depends on `x` is no part of the gradient.
        inside = x.view_as(x) if x.requires_grad else x.detach().requires_grad_()
        values = function(inside)
        gradient = None
        if values.requires_grad:
            (gradient,) = torch.autograd.grad(values.sum(), inside, create_graph=is_recorded, allow_unused=True)
    gradient = torch.zeros_like(x) if gradient is None else gradient
    return (values, gradient) if is_recorded else (values.detach(), gradient.detach())


_DIFFERENTIATE = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
