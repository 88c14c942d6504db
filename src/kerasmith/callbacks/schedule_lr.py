"""Puts a learning-rate schedule into the optimizer of a compiled model."""

import keras

from kerasmith._types import Contract, Logs
from kerasmith.callbacks.copies import Copyable
from kerasmith.keras_internals.learning_rate import inner, rate_given, step_counter, steps_done
from kerasmith.keras_internals.retrace import retrace
from kerasmith.schedules import Shifted


class ScheduleLR(Copyable, keras.callbacks.Callback):
    """Trains with a learning-rate schedule and logs the rate of the last step of each epoch as `learning_rate`.

    The schedule replaces the optimizer's learning rate when `fit` begins, and stays. It is a function of
    `optimizer.iterations`: it changes within an epoch, costs no synchronisation per step, is saved with the model and resumes
    with it.

    Args:
        schedule: a `keras.optimizers.schedules.LearningRateSchedule`, such as `schedules.CosineRestarts`.
        restart: if True, each `fit` starts the schedule from its beginning; if False, a second `fit` goes on where the first
            one stopped.

    Raises:
        TypeError: if `schedule` is a number or a plain function.

    Example:

    >>> from kerasmith.schedules import CosineRestarts
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x, y = keras.ops.ones((1, 2)), keras.ops.ones((1, 1))
    >>> schedule = CosineRestarts(T_0=4, eta_max=0.1)
    >>> history = model.fit(x, y, epochs=3, verbose=0, callbacks=[ScheduleLR(schedule)])
    >>> [round(rate, 4) for rate in history.history["learning_rate"]]
    [0.1, 0.0854, 0.05]
    """

    schedule: keras.optimizers.schedules.LearningRateSchedule
    restart: bool

    kerasmith_contract: Contract = {"observer": False}

    def __init__(self, schedule: keras.optimizers.schedules.LearningRateSchedule, *, restart: bool = False) -> None:
        if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
            raise TypeError(
                "`schedule` must be a LearningRateSchedule, e.g. kerasmith.schedules.CosineRestarts(T_0=10). "
                f"Received: schedule={schedule!r} of type {type(schedule).__name__}"
            )
        super().__init__()
        self.schedule = schedule
        self.restart = restart

    def on_train_begin(self, logs: Logs = None) -> None:
        optimizer = inner(self.model.optimizer)
        schedule = self.schedule
        if self.restart:
            schedule = Shifted(schedule, steps_done(optimizer))
        if rate_given(optimizer) is not schedule:
            optimizer.learning_rate = schedule
            # A step that was traced before holds on to the old rate.
            retrace(self.model)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs is not None:
            optimizer = inner(self.model.optimizer)
            rate = rate_given(optimizer)(step_counter(optimizer) - 1)
            logs["learning_rate"] = float(keras.ops.convert_to_numpy(rate))
