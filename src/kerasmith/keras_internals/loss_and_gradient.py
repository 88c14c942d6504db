"""The loss of a whole training step and its gradient as a function of the weights alone, compiled once.

The model's own `train_step` runs with an optimizer that only looks, so that objectives, regularisers, several losses and a
`compute_loss` of the user's own count as in `fit`. All that a step moves besides is put back: it is the same function whenever
it is asked.
"""

import contextlib
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops, tree

from kerasmith._types import Tensor
from kerasmith.keras_internals.optimizers import build_compiled_optimizer
from kerasmith.keras_internals.step_gradients import in_order, loss_scale
from kerasmith.keras_internals.step_updates import as_if_never_run, intercepted


class Evaluation(NamedTuple):
    """What a step found.

    Attributes:
        loss: the total, in double precision where the model has it.
        gradient: (weights,) float64.
        logs: {column: number}, without `loss`.
        moved: a bool for each variable in `LossAndGradient.checked`: whether the step would have moved it.
    """

    loss: float
    gradient: np.ndarray
    logs: dict[str, float]
    moved: np.ndarray


class LossAndGradient:
    """Loss and gradient of a model on one batch.

    Args:
        model: built and compiled.
        batch: what the data give for one step, tensors or arrays.
        still: variables that a step may move, and that are put back without a word.

    Attributes:
        variables: the trainable variables, in the order of the vector.
        checked: the other variables of the model, without `still`.
    """

    variables: list[Any]
    checked: list[Any]

    def __init__(self, model: keras.Model, batch: Any, still: list[Any] | None = None) -> None:
        build_compiled_optimizer(model)
        model.reset_metrics()
        self.variables = list(model.trainable_variables)
        known = {id(variable) for variable in still or ()}
        self._others = list(model.non_trainable_variables)
        self._is_checked = [id(variable) not in known for variable in self._others]
        self.checked = [variable for variable, is_checked in zip(self._others, self._is_checked) if is_checked]
        self._model = model
        self._shapes = [tuple(variable.shape) for variable in self.variables]
        self._sizes = [math.prod(shape) for shape in self._shapes]
        wide = any(keras.backend.standardize_dtype(variable.dtype) == "float64" for variable in self.variables)
        self.dtype: str = "float64" if wide else "float32"
        self._batch = tree.map_structure(lambda leaf: None if leaf is None else ops.convert_to_tensor(leaf), batch)
        self._evaluate = getattr(self, f"_{keras.backend.backend()}")()

    def __call__(self, vector: np.ndarray) -> Evaluation:
        """The step at these weights; the weights of the model are then these on TensorFlow and PyTorch.

        Raises:
            UnseenTraining: the model trains by something else than one update with `model.optimizer`.
        """
        loss, gradient, logs, moved = self._evaluate(np.asarray(vector, self.dtype))
        found = {name: float(np.asarray(value)) for name, value in _numbers(logs).items()}
        gradient = np.array(_numpy(gradient), "float64")
        return Evaluation(float(_numpy(loss)), gradient, found, np.array(_numpy(moved), bool).reshape(-1))

    def read(self) -> np.ndarray:
        """The weights that the model has, (weights,) float64."""
        parts = [np.asarray(_numpy(ops.cast(v.value, self.dtype)), "float64").reshape(-1) for v in self.variables]
        return np.concatenate(parts) if parts else np.zeros(0)

    def assign(self, vector: np.ndarray) -> None:
        """Gives the model these weights."""
        for variable, part in zip(self.variables, self._split(np.asarray(vector, self.dtype)), strict=True):
            variable.assign(ops.cast(ops.convert_to_tensor(part), variable.dtype))

    def owner(self, position: int) -> Any:
        """The variable that a place of the vector belongs to."""
        return self.variables[int(np.searchsorted(np.cumsum(self._sizes), position, side="right"))]

    def of_each_weight(self, values: list[Any]) -> np.ndarray:
        """One value for each variable, repeated for each of its weights."""
        return np.repeat(np.asarray(values, "float64"), self._sizes)

    def _split(self, flat):
        ends = np.cumsum([0, *self._sizes])
        return [flat[a:b].reshape(shape) for a, b, shape in zip(ends, ends[1:], self._shapes)]

    def _flat(self, gradients):
        parts = [
            ops.zeros((size,), self.dtype) if g is None else ops.reshape(ops.cast(g, self.dtype), (-1,))
            for g, size in zip(gradients, self._sizes, strict=True)
        ]
        return ops.concatenate(parts)

    def _changed(self, before, after):
        pairs = [pair for pair, is_checked in zip(zip(before, after, strict=True), self._is_checked) if is_checked]
        if not pairs:
            return ops.zeros((0,), "bool")
        return ops.stack([ops.any(ops.not_equal(old, new)) for old, new in pairs])

    def _step(self, step):
        """(loss, flat gradient, logs, what `step` gave) of a step that updates nothing."""
        model = self._model
        with as_if_never_run(model), _loss_of(model) as losses, intercepted(model) as caught:
            result = step()
            logs = dict(result[0] if isinstance(result, tuple) else result)
            gradients = in_order(caught, self.variables, loss_scale(model.optimizer))
        logged = logs.pop("loss", None)
        loss = losses[-1] if losses else logged
        if loss is None:
            raise ValueError(
                "The `train_step` of the model returns no 'loss', and so nobody can tell what it minimises. Return "
                '{"loss": loss, ...}.'
            )
        return loss, self._flat(gradients), logs, result

    def _jax(self):
        import jax

        model = self._model
        optimizer = [variable.value for variable in model.optimizer.variables]
        metrics = [variable.value for variable in model.metrics_variables]
        others = [variable.value for variable in self._others]

        def evaluate(flat, others, batch):
            parts = [part.astype(v.dtype) for v, part in zip(self.variables, self._split(flat), strict=True)]
            loss, gradient, logs, (_, state) = self._step(lambda: model.train_step((parts, others, optimizer, metrics), batch))
            return loss, gradient, logs, self._changed(others, state[1])

        compiled = evaluate if model.run_eagerly else jax.jit(evaluate)
        return lambda flat: compiled(flat, others, self._batch)

    def _tensorflow(self):
        import tensorflow as tf

        model = self._model

        def evaluate(flat, batch):
            before = [tf.identity(variable.value) for variable in self._others]
            for variable, part in zip(self.variables, self._split_tensor(flat), strict=True):
                variable.assign(ops.cast(part, variable.dtype))
            model.reset_metrics()
            loss, gradient, logs, _ = self._step(lambda: model.train_step(batch))
            after = [tf.identity(variable.value) for variable in self._others]
            moved = self._changed(before, after)
            for variable, value in zip(self._others, before, strict=True):
                variable.assign(value)
            return loss, gradient, logs, moved

        if not model.run_eagerly:
            on_host = any(getattr(metric, "works_on_host", False) for metric in model.metrics)
            evaluate = tf.function(evaluate, autograph=False, jit_compile=bool(model.jit_compile) and not on_host)
        return lambda flat: evaluate(tf.constant(flat), self._batch)

    def _split_tensor(self, flat):
        import tensorflow as tf

        return [tf.reshape(part, shape) for part, shape in zip(tf.split(flat, self._sizes), self._shapes, strict=True)]

    def _torch(self):
        model = self._model

        def evaluate(flat):
            before = [variable.value.detach().clone() for variable in self._others]
            self.assign(flat)
            model.reset_metrics()
            try:
                loss, gradient, logs, _ = self._step(lambda: model.train_step(self._batch))
                moved = self._changed(before, [variable.value for variable in self._others])
            finally:
                for variable, value in zip(self._others, before, strict=True):
                    variable.assign(value)
            model.zero_grad()
            return loss, gradient, logs, moved

        return evaluate


@contextlib.contextmanager
def _loss_of(model: keras.Model) -> Iterator[list[Tensor]]:
    """A context that notes what the column `loss` is given: it shows the same number in single precision only."""
    tracker, found = next((metric for metric in model.metrics if metric.name == "loss"), None), []
    if tracker is None:
        yield found
        return
    update = tracker.update_state

    def note(value, *args, **kwargs):
        found.append(value)
        return update(value, *args, **kwargs)

    object.__setattr__(tracker, "update_state", note)
    try:
        yield found
    finally:
        tracker.__dict__.pop("update_state", None)


def _numbers(logs):
    found = {name: _numpy(value) for name, value in logs.items() if not tree.is_nested(value)}
    return {name: value for name, value in found.items() if np.ndim(value) == 0}


def _numpy(value):
    return value if isinstance(value, (np.ndarray, float, int)) else ops.convert_to_numpy(value)
