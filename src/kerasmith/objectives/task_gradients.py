"""Gradients of single terms by a shared representation or by the weights, inside the training step of each backend.

The engine differentiates one number. A balancer needs K gradients by the tensors at the taps, while the step runs:
TensorFlow takes them from a second, persistent tape around the step; PyTorch asks its graph; JAX pulls back along a
shift that is added at the taps and is zero.
"""

import contextlib
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.distribution import cross_replica_sum, scale_loss_for_replicas
from kerasmith.numerics.pairwise_distances import product
from kerasmith.objectives.step_record import current, recording

# Gradients inside half-precision heads are taken of terms this much larger, so that small ones do not become 0.
_HALF_SCALE = 2.0**10


def tape_around() -> contextlib.AbstractContextManager[Any]:
    """A context around a step in which `by_taps` can be called; gives TensorFlow's tape, else None."""
    if keras.backend.backend() != "tensorflow":
        return contextlib.nullcontext()
    import tensorflow as tf

    return tf.GradientTape(persistent=True)


def by_taps(terms: list[Tensor], tensors: list[Tensor], tape: Any) -> list[list[Tensor]]:
    """Gradients of each term by each tensor, K lists of float32 tensors; TensorFlow and PyTorch.

    Args:
        terms: K scalars of the current step.
        tensors: tensors of the same step, from the taps.
        tape: what `tape_around` gave.
    """
    scale = _scale(tensors)
    differentiate = _tensorflow if keras.backend.backend() == "tensorflow" else _torch
    found = differentiate([term * scale for term in terms], tensors, tape)
    return [[ops.cast(g, "float32") / scale for g in gradients] for gradients in found]


def _tensorflow(terms, tensors, tape):
    import tensorflow as tf

    with tape.stop_recording():
        found = [tape.gradient(term, tensors, unconnected_gradients="zero") for term in terms]
        # The gradient of an embedding is rows with their numbers.
        return [[tf.convert_to_tensor(gradient) for gradient in gradients] for gradients in found]


def _torch(terms, tensors, tape):
    import torch

    zeros = [torch.zeros_like(t) for t in tensors]
    moving = [i for i, t in enumerate(tensors) if t.requires_grad]
    found = []
    for term in terms:
        gradients = list(zeros)
        if term.requires_grad and moving:
            asked = torch.autograd.grad(term, [tensors[i] for i in moving], retain_graph=True, allow_unused=True)
            for i, gradient in zip(moving, asked, strict=True):
                gradients[i] = gradients[i] if gradient is None else gradient
        found.append(gradients)
    return found


def by_taps_jax(forward: Function, names: Sequence[str]) -> tuple[list[Tensor], list[list[Tensor]], Any]:
    """The result of a step on JAX, with gradients of each term by the tensors at some taps.

    Args:
        forward: () -> anything; one whole forward pass, which leaves `terms` and `tensors` in the current record.
        names: the taps that these tensors are from.

    Returns:
        (tensors, K lists of gradients, what `forward` returned).
    """
    import jax
    import jax.numpy as jnp

    def shifted(shifts):
        with recording(shifts) as record:
            result = forward()
        return record.terms * _scale(record.tensors), (record.tensors, result)

    def shapes():
        with recording() as record:
            forward()
        return record.tensors

    nowhere = {name: jnp.zeros(s.shape, s.dtype) for name, s in zip(names, jax.eval_shape(shapes), strict=True)}
    terms, pull_back, (tensors, result) = jax.vjp(shifted, nowhere, has_aux=True)
    found = []
    for direction in jnp.eye(terms.shape[0], dtype=terms.dtype):
        (by_name,) = pull_back(direction)
        found.append([jax.lax.stop_gradient(by_name[name].astype("float32")) / _scale(tensors) for name in names])
    return tensors, found, result


def by_weights(terms: list[Tensor], variables: list[Any], tape: Any, half: bool) -> list[list[Tensor]]:
    """Gradients of each weighted term by each variable over the global batch, K lists; TensorFlow and PyTorch.

    Args:
        terms: K scalars of the current step.
        variables: trainable ones.
        tape: what `tape_around` gave.
        half: whether layers compute in float16.
    """
    scale = _HALF_SCALE if half else 1.0
    differentiate = _tensorflow if keras.backend.backend() == "tensorflow" else _torch
    found = differentiate([term * scale for term in terms], [variable.value for variable in variables], tape)
    return [[_global(g, scale) for g in gradients] for gradients in found]


def by_weights_jax(forward: Function, values: list[Tensor], chosen: Sequence[int], half: bool) -> list[list[Tensor]]:
    """`by_weights` on JAX.

    Args:
        forward: values of the trainable variables -> anything; leaves `terms` in the current record.
        values: those of all of them.
        chosen: which of them the gradients are by.
        half: whether layers compute in float16.
    """
    import jax
    import jax.numpy as jnp

    scale = _HALF_SCALE if half else 1.0
    # The engine derives the step once more: it must not see what happens here.
    values = [jax.lax.stop_gradient(value) for value in values]
    differentiable = current().differentiable

    def terms_at(moving):
        at = list(values)
        for i, value in zip(chosen, moving, strict=True):
            at[i] = value
        with recording() as record:
            record.differentiable = differentiable
            forward(at)
        return record.terms * scale

    terms, pull_back = jax.vjp(terms_at, [values[i] for i in chosen])
    rows = jnp.eye(terms.shape[0], dtype=terms.dtype)
    return [[_global(g, scale) for g in pull_back(row)[0]] for row in rows]


def _global(gradient, scale):
    # PyTorch's shares are as many times too large as there are replicas.
    return cross_replica_sum(ops.cast(gradient, "float32") / scale) / scale_loss_for_replicas(1.0)


def gram_matrix(gradients: list[list[Tensor]]) -> Tensor:
    """(K, K) inner products of the tasks' gradients over the global batch and all tensors.

    Args:
        gradients: K lists of tensors.
    """
    gram = 0.0
    for i in range(len(gradients[0])):
        rows = ops.stack([ops.reshape(task[i], (-1,)) for task in gradients])
        gram = gram + product(rows, ops.transpose(rows))
    # PyTorch's shares are as many times too large as there are replicas.
    return cross_replica_sum(gram) / scale_loss_for_replicas(1.0) ** 2


def gradient_correction(coefficients: Tensor, gradients: list[list[Tensor]], tensors: list[Tensor]) -> Tensor:
    """A number that is 0 and whose gradient turns sum_k g_k at the tensors into sum_k coefficients_k g_k.

    Args:
        coefficients: (K,).
        gradients: K lists of tensors, constants.
        tensors: what the gradients are by.
    """
    total = 0.0
    for i, tensor in enumerate(tensors):
        change = sum((coefficients[k] - 1.0) * task[i] for k, task in enumerate(gradients))
        total = total + ops.sum(ops.cast(tensor, "float32") * ops.stop_gradient(change))
    return total - ops.stop_gradient(total)


def _scale(tensors):
    return _HALF_SCALE if any(keras.backend.standardize_dtype(t.dtype) == "float16" for t in tensors) else 1.0
