"""Puts a learning-rate schedule into the optimizer of a compiled model."""

from collections.abc import Sequence

import keras

from kerasmith._types import Contract, Logs
from kerasmith.callbacks.copies import Copyable, no_model
from kerasmith.callbacks.driven_optimizers import StepWatch, check_places, driven_optimizers
from kerasmith.keras_internals.learning_rate import rate_given, rates_of, steps_done
from kerasmith.keras_internals.retrace import retrace
from kerasmith.schedules import Shifted

_CALL = "ScheduleLR(schedule, {})"


class ScheduleLR(Copyable, keras.callbacks.Callback):
    """Trains with a learning-rate schedule and logs the rate of the last step of each epoch as `learning_rate`.

    The schedule replaces the optimizer's learning rate when `fit` begins, and stays. It is a function of
    `optimizer.iterations`: it changes within an epoch, costs no synchronisation per step, is saved with the model and resumes
    with it.

    Args:
        schedule: a `keras.optimizers.schedules.LearningRateSchedule`, such as `schedules.CosineRestarts`.
        restart: if True, each `fit` starts the schedule from its beginning; if False, a second `fit` goes on where the first
            one stopped.
        optimizer: of a model with several, the place of the one to drive, such as "d_optimizer" for `model.d_optimizer` or
            "optimizers['d']", or a list of places (each then logs `learning_rate_<place>`). (since 0.2)

    Raises:
        TypeError: if `schedule` is a number or a plain function.
        ValueError: when training begins, if the model has no optimizer, or several and `optimizer` says not which.
        RuntimeError: at the end of an epoch in which the optimizer made no step, as the model's own `train_step` has another.

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
    of_one_fit = {"_driven": dict, "_steps": no_model}

    def __init__(
        self,
        schedule: keras.optimizers.schedules.LearningRateSchedule,
        *,
        restart: bool = False,
        optimizer: str | Sequence[str] | None = None,
    ) -> None:
        if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
            raise TypeError(
                "`schedule` must be a LearningRateSchedule, e.g. kerasmith.schedules.CosineRestarts(T_0=10). "
                f"Received: schedule={schedule!r} of type {type(schedule).__name__}"
            )
        self._places = check_places(optimizer)
        super().__init__()
        self.schedule = schedule
        self.restart = restart
        self._driven = {}
        self._steps = None

    def on_train_begin(self, logs: Logs = None) -> None:
        self._driven = driven_optimizers(self.model, self._places, "ScheduleLR", _CALL)
        is_new = False
        for optimizer in self._driven.values():
            schedule = self.schedule
            if self.restart:
                schedule = Shifted(schedule, steps_done(optimizer))
            if rate_given(optimizer) is not schedule:
                optimizer.learning_rate = schedule
                is_new = True
        if is_new:
            # A step that was traced before holds on to the old rate.
            retrace(self.model)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._steps = StepWatch(self.model, self._driven, "ScheduleLR", _CALL)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self._steps is not None:
            self._steps.check()
        if logs is not None:
            logs.update(rates_of(self._driven))

    def on_train_end(self, logs: Logs = None) -> None:
        self._driven, self._steps = {}, None
