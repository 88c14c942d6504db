"""The training step of `fit` with its batches in sight."""

from collections.abc import Callable
from typing import Any

import keras

from kerasmith.keras_internals.compiled import build_on, is_built
from kerasmith.keras_internals.layers import all_layers
from kerasmith.keras_internals.optimizers import has_own_step, training_optimizers


class TrainFunctionHook:
    """Stands in for `model.train_function`: draws the batches itself, and shows them before and after the step.

    A watcher is a callback with `before_step(state, batches)` and `after_step(logs, state, batches) -> (logs, state)`. It
    announces itself with `attach` in each `on_train_batch_begin`; a step that nobody announced puts the model's own function
    back and runs that, so nothing is left behind by a `fit` that ended with an exception.

    `state` is the state that Keras hands to the step on JAX, and None elsewhere. `batches` is a list of what the data gives
    for one step, one item unless `steps_per_execution` is larger; None where TensorFlow draws several in its own loop.

    Args:
        model: the model in training.
        inner: its `train_function`.
    """

    model: keras.Model
    inner: Callable[..., Any]
    watchers: Any

    def __init__(self, model: keras.Model, inner: Callable[..., Any]) -> None:
        self.model = model
        self.inner = inner
        self.watchers = []
        # Looked up once: properties of a model cost more than all else here.
        self._backend = keras.backend.backend()
        self._at_once = getattr(model, "steps_per_execution", 1)

    def __call__(self, *args: Any) -> Any:
        watchers, self.watchers = self.watchers, []
        if not watchers:
            self._leave()
            return self.inner(*args)
        is_jax = self._backend == "jax"
        state = args[0] if is_jax else None
        batches = self._draw(args[-1])
        for watcher in watchers:
            watcher.before_step(state, batches)
        if batches is None:
            logs = self.inner(*args)
        elif is_jax:
            logs, state = self.inner(state, iter(batches))
        else:
            logs = self.inner(batches if self._backend == "torch" else iter(batches))
        for watcher in watchers:
            logs, state = watcher.after_step(logs, state, batches)
        return (logs, state) if is_jax else logs

    def _draw(self, source):
        if self._backend == "torch":
            return source
        if self._at_once == 1:
            # Drawn here, a batch costs no more than in Keras' own function, which wraps the logs on TensorFlow.
            return [next(source)]
        if self._backend == "tensorflow":
            return None
        batches = [next(source)]
        for _ in range(self._at_once - 1):
            try:
                batches.append(next(source))
            except StopIteration:
                break
        return batches

    def _leave(self):
        if self.model.train_function is self:
            self.model.train_function = self.inner


def attach(model: keras.Model, watcher: Any) -> None:
    """Shows the next step of `fit` to a watcher. For `on_train_batch_begin`."""
    step = model.train_function
    if not isinstance(step, TrainFunctionHook):
        step = model.train_function = TrainFunctionHook(model, step)
    if watcher not in step.watchers:
        step.watchers.append(watcher)


def detach(model: keras.Model) -> None:
    """Puts the model's own function back. For `on_train_end`."""
    if isinstance(model.train_function, TrainFunctionHook):
        model.train_function = model.train_function.inner


def own_function(model: keras.Model) -> Callable[..., Any]:
    """The model's `train_function` without watchers."""
    return getattr(model.train_function, "inner", model.train_function)


def run_step(model: keras.Model, function: Callable[..., Any], state: Any, batches: Any) -> tuple[Any, Any]:
    """One step on given batches, (logs, state); the state is None except on JAX.

    Args:
        model: the model.
        function: its own `train_function`.
        state: on JAX what the function takes; it is donated.
        batches: a list.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        return function(state, iter(batches))
    if backend == "torch":
        return function(batches), None
    return function(iter(batches)), None


def replica_count(model: keras.Model) -> int:
    """How many replicas TensorFlow trains the model on."""
    strategy = getattr(model, "distribute_strategy", None)
    return getattr(strategy, "num_replicas_in_sync", 1)


def is_ready(model: keras.Model, batch: Any) -> bool:
    """Whether all variables of the step exist; builds what Keras on TensorFlow would build inside the first step."""
    others = [one for place, one in training_optimizers(model).items() if place != "optimizer"] if has_own_step(model) else []
    if others:
        # Its own step builds its own optimizers, and may leave `model.optimizer` unbuilt for good.
        return all(one.built for one in others) and all(layer.built for layer in all_layers(model))
    optimizer = getattr(model, "optimizer", None)
    if (optimizer is None or optimizer.built) and is_built(model) and all(layer.built for layer in all_layers(model)):
        return True
    if batch is None or replica_count(model) > 1:
        return False
    try:
        build_on(model, batch)
    except Exception:  # a model that only its own step can build
        return False
    return True
