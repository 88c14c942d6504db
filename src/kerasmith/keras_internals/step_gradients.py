"""Gradients of the step that `fit` is about to make, measured without making it.

The model's own `train_step` runs on the batch with an optimizer that only looks, so that objectives, regularisers, several
losses and a step of the user's own all count as in training. All else that the step moved is put back.
"""

import sys
from typing import Any

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.keras_internals.device_state import TrainingState
from kerasmith.keras_internals.optimizers import has_own_step
from kerasmith.keras_internals.step_updates import as_if_never_run, intercepted, run_eagerly

COLUMNS = ("gradient", "weight", "zeros", "dead")


def loss_scale(optimizer: Any) -> Any:
    """What the gradients are multiplied with before the optimizer sees them."""
    dynamic = getattr(optimizer, "dynamic_scale", None)
    if dynamic is not None:
        return ops.convert_to_tensor(dynamic)
    return getattr(optimizer, "loss_scale_factor", None) or 1.0


def gradients_now(model: keras.Model, batch: Any) -> list[Tensor | None]:
    """The gradients of one batch at the values that the variables have, a list in the order of the trainable variables.

    Runs eagerly and moves metrics, seeds and moving averages: the caller puts them back.

    Args:
        model: a compiled model; on JAX its variables must hold their values.
        batch: what the data gives for one step.
    """
    variables = model.trainable_variables
    with intercepted(model) as caught:
        run_eagerly(model, batch)
    return in_order(caught, variables, loss_scale(model.optimizer))


class MeasuredStep:
    """Measures gradients and updates of single steps, compiled once; the training does not notice.

    Args:
        model: a model in training, built and compiled.

    Attributes:
        variables: the trainable variables, in the order of the rows.
    """

    variables: Any

    def __init__(self, model: keras.Model) -> None:
        self.variables = list(model.trainable_variables)
        self._model = model
        backend = keras.backend.backend()
        self._measure = getattr(self, f"_{backend}")() if backend != "torch" else self._torch
        self._difference = _compiled_difference(self.variables)

    def before(self, state: Any, batch: Any) -> tuple[Tensor, list[Tensor]]:
        """(rows, weights): (variables, 4) numbers in `COLUMNS`, squares in place of norms, and a copy of the weights.

        Args:
            state: JAX's state before the step; None elsewhere.
            batch: what the step is about to train on.

        Raises:
            UnseenTraining: the step trains by something else than one update with `model.optimizer`; nothing has changed.
        """
        with as_if_never_run(self._model):
            return self._measure(batch) if state is None else self._measure(state, batch)

    def after(self, state: Any, weights: Any) -> Tensor:
        """Squares of the updates, (variables,).

        Args:
            state: JAX's state after the step; None elsewhere.
            weights: what `before` gave.
        """
        return self._difference(weights) if state is None else self._difference(weights, state[0])

    def _jax(self):
        import jax
        import jax.numpy as jnp

        model = self._model

        def measure(state, batch):
            with intercepted(model) as caught:
                model.train_step(state, batch)
            mapping = list(zip(model.optimizer.variables, state[2], strict=True))
            with keras.StatelessScope(state_mapping=mapping):
                scale = loss_scale(model.optimizer)
            gradients = in_order(caught, self.variables, scale)
            return _rows(gradients, state[0]), [jnp.copy(w) for w in state[0]]

        if not has_own_step(model):
            return jax.jit(measure)
        run = measure if model.run_eagerly else jax.jit(measure)

        def measure_and_undo(state, batch):
            # Outside of JAX's state a step may leave numbers of a trace.
            before = [(variable, variable.value) for variable in TrainingState(model).others]
            try:
                return run(state, batch)
            finally:
                for variable, value in before:
                    variable.assign(value)

        return measure_and_undo

    def _tensorflow(self):
        import tensorflow as tf

        model = self._model
        own = has_own_step(model)
        moved = TrainingState(model).variables if own else [*model.non_trainable_variables, *model.metrics_variables]

        def measure(batch):
            weights = [tf.identity(v.value) for v in self.variables]
            before = [tf.identity(v.value) for v in moved]
            try:
                with intercepted(model) as caught:
                    model.train_step(batch)
            finally:
                for variable, value in zip(moved, before, strict=True):
                    variable.assign(value)
            return _rows(in_order(caught, self.variables, loss_scale(model.optimizer)), weights), weights

        return measure if model.run_eagerly else tf.function(measure, reduce_retracing=True, autograph=False)

    def _torch(self, batch):
        state = TrainingState(self._model)
        before = state.copy()
        try:
            gradients = gradients_now(self._model, batch)
        finally:
            state.assign(before)
        weights = before.values[: len(self.variables)]
        return _rows(gradients, weights), weights


def _compiled_difference(variables):
    backend = keras.backend.backend()

    def squares(before, after):
        return ops.stack([ops.sum(ops.square(ops.cast(b, "float32") - ops.cast(a, "float32"))) for a, b in zip(before, after)])

    if backend == "jax":
        import jax

        return jax.jit(squares)
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(lambda before: squares(before, [v.value for v in variables]), autograph=False)
    return lambda before: squares(before, [v.value.detach() for v in variables])


def _rows(gradients, weights):
    return ops.stack([_row(gradient, weight) for gradient, weight in zip(gradients, weights, strict=True)])


def _row(gradient, weight):
    weight = ops.cast(weight, "float32")
    if gradient is None:
        return ops.stack([ops.zeros(()), ops.sum(ops.square(weight)), ops.ones(()), ops.ones(())])
    gradient = ops.cast(gradient, "float32")
    is_zero = ops.equal(gradient, 0.0)
    units = is_zero if len(gradient.shape) < 2 else ops.all(ops.reshape(is_zero, (-1, gradient.shape[-1])), axis=0)
    return ops.stack(
        [
            ops.sum(ops.square(gradient)),
            ops.sum(ops.square(weight)),
            ops.mean(ops.cast(is_zero, "float32")),
            ops.mean(ops.cast(units, "float32")),
        ]
    )


def in_order(caught: Any, variables: Any, scale: Any) -> list[Tensor | None]:
    """The noted gradients, one for each variable, without the scale of the loss; None where there is none."""
    if keras.backend.backend() == "jax":
        found = dict(enumerate(caught[-1][0])) if caught else {}
        keys = range(len(variables))
    else:
        found = {id(v): g for gradients, owners in caught for g, v in zip(gradients, owners or variables, strict=True)}
        keys = [id(variable) for variable in variables]
    return [_unscaled(found.get(key), scale) for key in keys]


def _unscaled(gradient, scale):
    if gradient is None:
        return None
    if keras.backend.backend() == "torch":
        gradient = gradient.detach().clone()
    elif type(gradient).__name__ == "IndexedSlices":  # of a TensorFlow embedding
        gradient = sys.modules["tensorflow"].convert_to_tensor(gradient)
    return gradient if isinstance(scale, float) and scale == 1.0 else ops.cast(gradient, "float32") / scale
