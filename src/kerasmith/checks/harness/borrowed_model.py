"""A compiled model that trains with an optimizer, a loss and values that are lent to it, and gets its own back."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kerasmith.checks.engine.finding import Inconclusive
from kerasmith.checks.engine.lazy_keras import backend, keras, ops

# Steps from which a compiled function of TensorFlow is quicker than eager steps.
_WORTH_TRACING = 20


class BorrowedModel:
    """A model with an optimizer of its own, and the compiled step of both.

    Args:
        model, loss, around: see `Trial`.
        rate: a learning rate in place of the optimizer's, or None.

    Attributes:
        state: a `TrainingState` of the model and this optimizer; None before `opened`.
    """

    def __init__(self, model: Any, loss: Any, around: Any, rate: float | None) -> None:
        from kerasmith.keras_internals.optimizers import has_own_step

        self.model: Any = model
        self.loss: Any = loss
        self.around: Any = around
        self.own_step: bool = has_own_step(model)
        if self.own_step and (loss is not None or rate is not None):
            raise Inconclusive("the model has a `train_step` of its own, which may use other rates and losses")
        self.optimizer: Any = model.optimizer if self.own_step else _same_kind(model.optimizer, rate)
        self.state: Any = None
        self.compiled: Any = None
        self.differentiated: Any = None
        self.carried: Any = None

    @contextlib.contextmanager
    def opened(self, batch: Any) -> Iterator[None]:
        from kerasmith.keras_internals.compiled import build_on, is_built
        from kerasmith.keras_internals.device_state import TrainingState
        from kerasmith.keras_internals.optimizers import build_optimizer

        model = self.model
        if batch is not None and not (model.built and is_built(model)):
            build_on(model, batch)
        with self._changed():
            if self.optimizer is not None and not self.own_step:
                build_optimizer(self.optimizer, model.trainable_variables)
            if self.state is None:
                self.state = TrainingState(model)
                self.fresh = None if self.optimizer is None else [to_array(v) for v in self.optimizer.variables]
            before = self.state.copy()
            try:
                yield
            finally:
                self.state.assign(before)
                if backend() == "torch":
                    model.zero_grad()

    @contextlib.contextmanager
    def _changed(self):
        model, optimizer = self.model, self.model.optimizer
        replaced = {"compute_metrics": self._only_loss}
        if self.loss is not None:
            replaced["compute_loss"] = self._other_loss
        try:
            with contextlib.nullcontext() if self.around is None else self.around(model):
                if not self.own_step:
                    for name, function in replaced.items():
                        setattr(model, name, function)
                    model.optimizer = self.optimizer
                yield
        finally:
            for name in replaced:
                vars(model).pop(name, None)
            if model.optimizer is not optimizer:
                model.optimizer = optimizer

    def _only_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        return {metric.name: metric.result() for metric in self.model.metrics if metric.name == "loss"}

    def _other_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, **_: Any) -> Any:
        loss = self.loss if callable(self.loss) and not isinstance(self.loss, keras.losses.Loss) else _by_name(self.loss)
        total = loss(y, y_pred, sample_weight)
        for part in self.model.losses:
            total = total + ops.sum(ops.cast(part, total.dtype))
        return total

    def beginning(self, rate: float | None, start: dict[int, np.ndarray]) -> Any:
        """The values that a trial begins with: the model's now, and an optimizer that has not moved."""
        from kerasmith.keras_internals.learning_rate import inner

        before = self.state.copy()
        try:
            if not self.own_step and self.optimizer is not None:
                for variable, value in zip(self.optimizer.variables, self.fresh, strict=True):
                    variable.assign(value)
                if rate is not None:
                    inner(self.optimizer).learning_rate = rate
            for variable in self.model.variables:
                if id(variable) in start:
                    variable.assign(start[id(variable)])
            return self.state.copy()
        finally:
            self.state.assign(before)

    def stepper(self, steps: int) -> Callable[[Any], float]:
        """`(batch) -> loss`: one step of the model; `finish` has to be called after the last."""
        model = self.model
        if backend() == "jax":
            import jax

            if self.compiled is None:
                self.compiled = model.train_step if model.run_eagerly else jax.jit(model.train_step)
            model.reset_metrics()
            self.carried = tuple([variable.value for variable in group] for group in _groups(model))
            zeros = self.carried[3]

            def step(batch):
                logs, state = self.compiled((*self.carried[:3], zeros), batch)
                self.carried = tuple(list(group) for group in state)
                return _loss_of(logs)

            return step
        function = model.train_step
        if backend() == "tensorflow" and not model.run_eagerly and steps >= _WORTH_TRACING:
            import tensorflow as tf

            if self.compiled is None:
                self.compiled = tf.function(model.train_step, autograph=self.own_step, reduce_retracing=True)
            function = self.compiled

        def step(batch):
            model.reset_metrics()
            return _loss_of(function(batch))

        return step

    def penalty(self) -> float:
        """The penalties on the weights as they are in this step."""
        variables = self.model.trainable_variables
        values = variables if self.carried is None else self.carried[0]
        return sum(
            float(np.sum(to_array(variable.regularizer(value))))
            for variable, value in zip(variables, values, strict=True)
            if getattr(variable, "regularizer", None) is not None
        )

    def gradients(self, batch: Any) -> list[Any]:
        """Gradients in the order of the trainable variables."""
        from kerasmith.keras_internals.step_gradients import gradients_now, in_order, loss_scale
        from kerasmith.keras_internals.step_updates import intercepted

        model = self.model
        if backend() != "jax" or model.run_eagerly or self.own_step:
            return gradients_now(model, batch)
        import jax

        def measure(state, batch):
            with intercepted(model) as caught:
                model.train_step(state, batch)
            return in_order(caught, model.trainable_variables, 1.0)

        if self.differentiated is None:
            self.differentiated = jax.jit(measure)
        state = tuple([variable.value for variable in group] for group in _groups(model))
        scale = loss_scale(model.optimizer)
        return [None if g is None else g / scale for g in self.differentiated(state, batch)]

    def finish(self) -> None:
        """Writes what JAX's steps carried into the variables."""
        if self.carried is None:
            return
        for group, values in zip(_groups(self.model), self.carried):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        self.carried = None


def _same_kind(optimizer, rate):
    """An optimizer like the given one that has not moved."""
    if optimizer is None:
        raise Inconclusive("the model has no optimizer")
    try:
        config = optimizer.get_config()
        if rate is not None:
            config = _with_rate(config, rate)
        return type(optimizer).from_config(config)
    except Exception as error:
        raise Inconclusive(f"the optimizer cannot be made from its config: {error}") from None


def _with_rate(config, rate):
    if "learning_rate" in config:
        return {**config, "learning_rate": float(rate)}
    inner = config.get("inner_optimizer")
    if isinstance(inner, dict):
        return {**config, "inner_optimizer": {**inner, "config": _with_rate(inner["config"], rate)}}
    raise Inconclusive("the optimizer has no learning rate")


def _groups(model):
    optimizer = getattr(model.optimizer, "variables", [])
    return model.trainable_variables, model.non_trainable_variables, optimizer, model.metrics_variables


def _by_name(loss):
    found = keras.losses.get(loss)
    if isinstance(found, keras.losses.Loss):
        return found
    return lambda y, p, w: ops.mean(found(y, p) if w is None else found(y, p) * w)


def _loss_of(logs):
    logs = logs if isinstance(logs, dict) else {}
    value = logs.get("loss", next(iter(logs.values()), np.nan))
    return float(np.mean(to_array(value)))


def to_array(tensor: Any) -> np.ndarray:
    """A tensor or variable as an array of its own, float64 if it holds floating-point numbers."""
    value = getattr(tensor, "value", tensor)
    if backend() == "torch" and hasattr(value, "detach"):
        value = value.detach()
    array = np.array(value if isinstance(value, (float, int, np.ndarray)) else ops.convert_to_numpy(value))
    return array.astype("float64") if array.dtype.kind == "f" or array.dtype.name == "bfloat16" else array
