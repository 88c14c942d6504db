"""Lowers any learning rate, also a scheduled one, when a quantity stops improving."""

import weakref
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasmith._types import Logs
from kerasmith.base.arguments import check_choice, check_integer, check_number
from kerasmith.callbacks.copies import Copyable, no_model
from kerasmith.callbacks.driven_optimizers import StepWatch, check_places, driven_optimizers, log_rates
from kerasmith.callbacks.monitored import Monitored
from kerasmith.files import run_events
from kerasmith.files.messages import say
from kerasmith.keras_internals.learning_rate import rate_given, schedule_of
from kerasmith.keras_internals.optimizers import training_optimizers
from kerasmith.keras_internals.retrace import retrace
from kerasmith.schedules.scaled import factor_named, with_factor

_CALL = "ReduceOnPlateau(..., {})"


class ReduceOnPlateau(Copyable, keras.callbacks.Callback):
    """Multiplies the learning rate by a factor when a quantity has not improved for some epochs.

    learning rate = schedule(step) x f, with f = 1 at first and f <- max(factor f, min_factor) on a plateau. It decides as
    `keras.callbacks.ReduceLROnPlateau`, which works with a plain number only. Of a schedule, f is a `schedules.Scaled` around
    it: saved with the model, found again after loading, and put back around the schedule of a `ScheduleLR`, which may stand
    before or after this callback. A plain learning rate is multiplied itself. A change takes effect with the next epoch;
    compiled training steps are then traced again. A second `fit` goes on counting.

    The rate of the last step of each epoch is logged as `learning_rate`, unless another callback has logged it.

    Args:
        monitor: a column of the history.
        factor: what a plateau multiplies the rate by, between 0 and 1.
        patience: epochs without improvement that make a plateau. (PyTorch's `patience` is one less.)
        mode: "max", "min", or "auto": the direction of the metric.
        min_delta: how much counts as an improvement.
        threshold_mode: "abs", or "rel" for `min_delta` as a share of the best value.
        cooldown: epochs after a plateau that do not count towards the next; the last of them counts again, as in Keras.
        min_factor: f goes no lower.
        verbose: 1 prints a line for each plateau.
        optimizer: of a model with several, the place of the one to drive, such as "d_optimizer" for `model.d_optimizer`, or a
            list of places. None: all of them, which one line says. (since 0.2)

    Raises:
        ValueError: for arguments outside their range; at the start of training, if the direction is unknown or the model has
            no optimizer; at the end of the first epoch, if `monitor` is not logged.
        RuntimeError: at the end of an epoch in which no driven optimizer made a step, as the model's own `train_step` has
            another.

    Example:

    >>> from kerasmith.callbacks import ScheduleLR
    >>> from kerasmith.schedules import CosineRestarts
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, trainable=False), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x, y = keras.ops.zeros((1, 2)), keras.ops.zeros((1, 1))
    >>> callbacks = [ScheduleLR(CosineRestarts(T_0=1, eta_max=0.4)), ReduceOnPlateau("loss", factor=0.5, patience=2)]
    >>> history = model.fit(x, y, epochs=6, verbose=0, callbacks=callbacks)
    >>> [round(rate, 3) for rate in history.history["learning_rate"]]
    [0.4, 0.4, 0.4, 0.2, 0.2, 0.1]
    """

    of_one_fit = {"_for": no_model, "_driven": dict, "_steps": no_model}

    monitor: str
    factor: float
    patience: int
    min_delta: float
    threshold_mode: str
    cooldown: int
    min_factor: float
    verbose: int

    kerasmith_contract: dict[str, object] = {"observer": False, "continues": True}

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        mode: str = "auto",
        *,
        min_delta: float = 1e-4,
        threshold_mode: str = "abs",
        cooldown: int = 0,
        min_factor: float = 0.0,
        verbose: int = 0,
        optimizer: str | Sequence[str] | None = None,
    ) -> None:
        check_number("factor", factor, above=0, below=1)
        check_integer("patience", patience, minimum=0)
        check_number("min_delta", min_delta, minimum=0)
        check_choice("threshold_mode", threshold_mode, ("abs", "rel"))
        check_integer("cooldown", cooldown, minimum=0)
        check_number("min_factor", min_factor, minimum=0, below=1)
        self._places = check_places(optimizer)
        super().__init__()
        self._monitored = Monitored(monitor, mode, type(self).__name__)
        self.monitor = monitor
        self.factor = factor
        self.patience = patience
        self.min_delta = min_delta
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.min_factor = min_factor
        self.verbose = verbose
        self._name = f"plateau of {monitor}"
        self._for = None
        self._driven, self._steps = {}, None
        self._forget()

    def _forget(self) -> None:
        self.total: float = 1.0
        self._pending = 1.0
        self._best, self._wait, self._cooling = None, 0, 0

    @property
    def direction(self) -> str | None:
        """What is better, "max" or "min"; None before training with `mode="auto"`."""
        return self._monitored.direction

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        optimizer = getattr(model, "optimizer", None)
        if optimizer is None:
            return
        if self._for is None or self._for() is not optimizer:
            self._forget()
            self._for = weakref.ref(optimizer)
        # Before another callback sets the schedule anew: a loaded model brings its factor with it.
        found = training_optimizers(model)
        factors = [factor_named(schedule_of(one), self._name) for one in found.values()]
        self.total = next((factor for factor in factors if factor is not None), self.total)

    def on_train_begin(self, logs: Logs = None) -> None:
        self._driven = driven_optimizers(self.model, self._places, "ReduceOnPlateau", _CALL, several=True)
        for place, optimizer in self._driven.items():
            rate = rate_given(optimizer)
            if schedule_of(optimizer) is None and not isinstance(rate, keras.Variable):
                raise TypeError(
                    "ReduceOnPlateau needs optimizers whose learning rate is a number or a LearningRateSchedule. "
                    f"Received: {place!r}, {type(optimizer).__name__} with {rate!r}"
                )
        if len(self._driven) > 1 and self._places is None:
            say(f"ReduceOnPlateau: a plateau lowers the learning rates of {', '.join(self._driven)}.")
        self._monitored.settle(self.model)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._apply()
        self._steps = StepWatch(self.model, self._driven, "ReduceOnPlateau", _CALL)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self._steps is not None:
            self._steps.check()
        if logs is not None:
            log_rates(self._driven, logs)
        value = self._monitored.read(logs)
        if value is not None and self._is_plateau(value):
            before, self.total = self.total, max(self.total * self.factor, self.min_factor)
            self._pending *= self.total / before
            text = f"`{self.monitor}` is on a plateau, learning rate x {self.total / before:g}"
            run_events.tell("learning rate", text, by="ReduceOnPlateau", epoch=epoch)
            if self.verbose:
                say(f"\nEpoch {epoch + 1}: {text}")

    def on_train_end(self, logs: Logs = None) -> None:
        self._apply()
        self._driven, self._steps = {}, None

    # State for a run that is resumed in another process.

    def state_dict(self) -> dict[str, Any]:
        """The factor so far, what of it the optimizer has not got yet, and the counters."""
        return {
            "total": self.total,
            "pending": self._pending,
            "best": self._best,
            "wait": self._wait,
            "cooling": self._cooling,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from what `state_dict` returned, and puts the factor around the optimizer's schedule."""
        self.total, self._pending = float(state["total"]), float(state["pending"])
        self._best, self._wait, self._cooling = state["best"], int(state["wait"]), int(state["cooling"])
        if self._model is not None:
            self._apply_to_schedules()

    # Parts.

    def _is_plateau(self, value: float) -> bool:
        """Keras' rules, but for a first NaN, after which Keras never sees an improvement."""
        if self._cooling > 0:
            self._cooling -= 1
            self._wait = 0
        if self._monitored.is_better(value, self._best, self.min_delta, relative=self.threshold_mode == "rel"):
            self._best, self._wait = value, 0
            return False
        if self._cooling > 0:
            return False
        self._wait += 1
        if self._wait < self.patience or self.total <= self.min_factor:
            return False
        self._wait, self._cooling = 0, self.cooldown
        return True

    def _apply(self) -> None:
        """Gives the optimizer the factor that it has not got yet.

        Not at once when it is found: callbacks after this one in the list still log the rate that the epoch was trained with.
        """
        pending, self._pending = self._pending, 1.0
        if pending != 1.0:
            for optimizer in self._driven.values():
                if schedule_of(optimizer) is None:
                    rate = rate_given(optimizer)
                    rate.assign(float(ops.convert_to_numpy(rate)) * pending)
        self._apply_to_schedules()

    def _apply_to_schedules(self) -> None:
        is_new = False
        for optimizer in self._driven.values():
            schedule = schedule_of(optimizer)
            known = None if schedule is None else factor_named(schedule, self._name)
            if schedule is not None and known != self.total and (self.total != 1.0 or known is not None):
                optimizer.learning_rate = with_factor(schedule, self.total, self._name)
                is_new = True
        if is_new:
            # A step that was traced before holds on to the old rate.
            retrace(self._model)
