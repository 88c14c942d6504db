"""Makes steps of a training once more, and tells whether all is finite after one."""

from typing import Any

import keras
import numpy as np
from keras import ops

from kerasmith.distribution.exchange import processes
from kerasmith.keras_internals.device_state import Copy, TrainingState
from kerasmith.keras_internals.owned import owned
from kerasmith.keras_internals.train_function_hook import own_function, run_step

# Keras begins at 2^15 and halves with each step it leaves out: this is some thirty in a row.
_SMALLEST_LOSS_SCALE = 2.0**-14


class SharedTrainingState(TrainingState):
    """A `TrainingState` with what else a step leaves in one of several processes."""

    def copy(self, state: Any = None) -> Copy:
        """As of `TrainingState`."""
        return super().copy(state)._replace(own=processes().own_state())

    def assign(self, copy: Copy) -> None:
        """As of `TrainingState`."""
        super().assign(copy)
        processes().load_own_state(copy.own, None)


class StepRepeater:
    """Goes back to copies of a training's state and makes steps from there.

    Args:
        model: a built and compiled model.

    Attributes:
        state: the model's `TrainingState`.
        excused: a bool for each variable: what may be not finite, as it was so when training began.
        loss_scales: variables of optimizers that scale the loss.
    """

    model: keras.Model
    state: Any
    excused: Any
    loss_scales: Any

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.state = SharedTrainingState(model)
        self.excused = np.zeros(len(self.state.variables), bool)
        found = owned(model).optimizers.values()
        self.loss_scales = [one.dynamic_scale for one in found if getattr(one, "dynamic_scale", None) is not None]

    def is_current(self) -> bool:
        """Whether the model still has the same variables, and trains the same ones."""
        now = TrainingState(self.model)
        return now.sizes == self.state.sizes and [*map(id, now.variables)] == [*map(id, self.state.variables)]

    def excuse_as(self, other: "StepRepeater") -> None:
        """Excuses the variables that another one of this model excuses."""
        excused = {id(variable) for variable, is_so in zip(other.state.variables, other.excused) if is_so}
        self.excused = np.array([id(variable) in excused for variable in self.state.variables], bool)

    def go_to(self, copy: Copy) -> Any:
        """Puts the model there; returns what the next `step` takes."""
        self.state.assign(copy)
        return self.state.for_step(copy)

    def step(self, state: Any, batches: Any) -> tuple[Any, Any]:
        """One step of the model's own function: (logs, state)."""
        model, is_torch = self.model, keras.backend.backend() == "torch"
        was_training = model.training if is_torch else None
        if is_torch:
            model.train()
        try:
            return run_step(model, own_function(model), state, batches)
        finally:
            if is_torch:
                model.train(was_training)

    def repeat(self, good: Copy, steps: list[Any]) -> tuple[Any, Copy]:
        """Makes `RecordedStep`s once more, from a copy: (logs, copy). Notes their losses in the list."""
        state = self.go_to(good)
        logs = self.model.get_metrics_result()
        for i, step in enumerate(steps):
            logs, state = self.step(state, step.batches)
            steps[i] = step._replace(loss=logs.get("loss"))
        return logs, self.state.copy(state)

    def with_metrics_of(self, now: Copy, before: Copy) -> Copy:
        """The state `before` with the metrics of `now`, so that the history shows what happened."""
        end = sum(self.state.sizes)
        begin = end - self.state.sizes[-1]
        return before._replace(values=[*before.values[:begin], *now.values[begin:end], *before.values[end:]])

    def is_good(self, logs: Any, copy: Copy) -> bool:
        """Whether the loss in the logs, a running mean, and all variables are finite, in each process."""
        is_good = is_finite_loss(logs) and bool(copy.finite.all() or not self.bad_variables(copy))
        # Several processes do the same, each with statistics of its own.
        return is_good if processes().count == 1 else all(processes().of_all(is_good))

    def bad_variables(self, copy: Copy) -> list[str]:
        """Paths of the variables that have become not finite: weights in the order of the graph, then those of optimizers."""
        return [path for paths in self.bad_weights_and_slots(copy) for path in paths]

    def bad_weights_and_slots(self, copy: Copy) -> tuple[list[str], list[str]]:
        """The same, apart."""
        bad = {id(self.state.variables[i]) for i in np.flatnonzero(self.state.monitored & ~copy.finite & ~self.excused)}
        weights = [variable for variable in self.model.variables if id(variable) in bad]
        known = {id(variable) for variable in weights}
        slots = [variable for variable in self.state.variables if id(variable) in bad - known]
        return [variable.path for variable in weights], [variable.path for variable in slots]

    def bad_from_the_beginning(self, copy: Copy) -> list[str]:
        """Paths of trainable variables that are not finite."""
        return [self.state.variables[i].path for i in np.flatnonzero(~copy.finite[: self.state.sizes[0]])]

    def is_stalled(self, copy: Copy) -> bool:
        """Whether a loss-scaling optimizer has left out one step after the other."""
        scales = [copy.values[self.state.index(scale)] for scale in self.loss_scales]
        return any(float(ops.convert_to_numpy(scale)) < _SMALLEST_LOSS_SCALE for scale in scales)


def is_finite_loss(logs: Any) -> bool:
    """Whether the loss in the logs of a step is finite, or is not there."""
    loss = (logs or {}).get("loss")
    return loss is None or bool(np.isfinite(ops.convert_to_numpy(loss)).all())
