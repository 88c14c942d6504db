"""Makes steps of a training once more, and tells whether all is finite after one."""

from typing import Any

import keras
import numpy as np
from keras import ops

from kerasmith.keras_internals.device_state import Copy, TrainingState
from kerasmith.keras_internals.train_function_hook import own_function, run_step

# Keras begins at 2^15 and halves with each step it leaves out: this is some thirty in a row.
_SMALLEST_LOSS_SCALE = 2.0**-14


class StepRepeater:
    """Goes back to copies of a training's state and makes steps from there.

    Args:
        model: a built and compiled model.

    Attributes:
        state: the model's `TrainingState`.
        excused: a bool for each variable: what may be not finite, as it was so when training began.
    """

    model: keras.Model
    state: Any
    excused: Any

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.state = TrainingState(model)
        self.excused = np.zeros(len(self.state.variables), bool)

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

    def is_good(self, logs: Any, copy: Copy) -> bool:
        """Whether the loss in the logs, a running mean, and all variables are finite."""
        return is_finite_loss(logs) and (copy.finite.all() or not self.bad_variables(copy))

    def bad_variables(self, copy: Copy) -> list[str]:
        """Paths of the variables that have become not finite."""
        return [self.state.variables[i].path for i in np.flatnonzero(self.state.monitored & ~copy.finite & ~self.excused)]

    def bad_from_the_beginning(self, copy: Copy) -> list[str]:
        """Paths of trainable variables that are not finite."""
        return [self.state.variables[i].path for i in np.flatnonzero(~copy.finite[: self.state.sizes[0]])]

    def is_stalled(self, copy: Copy) -> bool:
        """Whether a loss-scaling optimizer has left out one step after the other."""
        scale = getattr(self.model.optimizer, "dynamic_scale", None)
        if scale is None:
            return False
        return float(ops.convert_to_numpy(copy.values[self.state.index(scale)])) < _SMALLEST_LOSS_SCALE


def is_finite_loss(logs: Any) -> bool:
    """Whether the loss in the logs of a step is finite, or is not there."""
    loss = (logs or {}).get("loss")
    return loss is None or bool(np.isfinite(ops.convert_to_numpy(loss)).all())
