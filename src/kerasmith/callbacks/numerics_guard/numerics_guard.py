"""Finds the first NaN or infinity of a training, says where it comes from, and ends or repairs the run."""

import os
import weakref
from typing import Any

import keras

from kerasmith._types import Logs
from kerasmith.base.arguments import check_integer, check_number
from kerasmith.callbacks.copies import Copyable, no_model
from kerasmith.callbacks.driven_optimizers import check_can_train
from kerasmith.callbacks.numerics_guard.first_nonfinite_step import find_first_nonfinite_step, from_outside
from kerasmith.callbacks.numerics_guard.lowered_rates import check_rates, lower_rates, scale_schedules
from kerasmith.callbacks.numerics_guard.nonfinite_report import NonFiniteReport
from kerasmith.callbacks.numerics_guard.origin import of_all_processes
from kerasmith.callbacks.numerics_guard.step_record import StepRecord
from kerasmith.callbacks.numerics_guard.step_repeater import StepRepeater
from kerasmith.callbacks.unseen_optimizers import UnseenOptimizers
from kerasmith.distribution.exchange import processes
from kerasmith.files.writable_directory import writable_directory
from kerasmith.keras_internals.train_function_hook import attach, detach, is_ready, own_function


class NumericsGuard(Copyable, keras.callbacks.Callback):
    """Stops training at the first NaN or infinity and names its origin: input, layer, loss term, gradient or weight.

    Every `every` steps, and at the end of an epoch, it looks at the running mean of the loss and at all weights, and copies
    the state of the training. If something is not finite, it goes back to the last copy, repeats the steps since then on the
    batches that it has kept, and takes the first bad one apart. So the step that made the first bad number is found, not the
    one that showed it: a gradient that is NaN under a finite loss spoils the weights, and only the next loss shows that.

    Then training stops, with a message, and the model has the weights and the optimizer's state from before that step. With
    `rollback=True` it goes on instead: back to the last copy, with a learning rate `factor` times as high (unless the data
    themselves are at fault), and over the kept batches again without the bad one, as if that had not been in the data. A
    plain learning rate and a `LearningRateSchedule` both work.

    Of a model that trains by a `train_step` of its own, all optimizers that it has, wherever it keeps them, are copied, put
    back and slowed down. What another callback has spoilt, no repeated step shows: the finding then names the variables and
    optimizer slots that are not finite now, in the order of the graph.

    A `LossScaleOptimizer` leaves out steps whose gradients overflow; that is no fault. It is one if it leaves out all of them.

    Args:
        directory: where the batch (.npz) and the finding (.json) are saved; None saves nothing.
        rollback: repair the run in place of stopping it.
        every: steps between two copies. The copy and the batches since then stay in memory, on the device.
        factor: what a rollback multiplies the learning rate by.
        max_rollbacks: after so many the next finding stops the training.
        memory: megabytes that the kept batches may take; large batches make the copies more frequent.
        verbose: 0 prints nothing.

    Attributes:
        finding: the latest `NonFiniteReport`, or None. `str(finding)` is the message.
        findings: all of them.
        rollbacks: how many there were.

    Of several processes (since 0.2, see `kerasmith.distribution.setup`; on PyTorch) all look at the same steps, and do the
    same. Where each brings its own share of the data, the finding says in whose it came up, and no batch is saved.

    On TensorFlow with `steps_per_execution` above 1, or several replicas, the batches are not seen: the finding then names
    the step range as far as the loss tells it, and a rollback leaves out all steps since the last copy.

    Raises:
        ValueError: for arguments outside their range; with `rollback`, when training begins, for a learning rate that is a
            function without a schedule.

    Example:

    >>> import numpy as np
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="score")])
    >>> model.compile("sgd", "mse")
    >>> x, y = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")
    >>> x[5] = np.nan
    >>> guard = NumericsGuard(verbose=0)
    >>> _ = model.fit(x, y, batch_size=2, shuffle=False, verbose=0, callbacks=[guard])
    >>> guard.finding.kind, guard.finding.where, guard.finding.batch, guard.finding.samples
    ('input', 'x', 2, [1])
    """

    of_one_fit = {
        **dict.fromkeys(("_repeater", "_good", "_record", "_unseen"), no_model),
        "_of": lambda: no_model,
        "_logs": dict,
        "_is_new": lambda: True,
    }

    directory: Any
    rollback: bool
    every: int
    factor: float
    max_rollbacks: int
    memory: int
    verbose: int
    findings: Any
    finding: Any
    rollbacks: int

    def __init__(
        self,
        directory: str | os.PathLike[str] | None = None,
        *,
        rollback: bool = False,
        every: int = 200,
        factor: float = 0.5,
        max_rollbacks: int = 3,
        memory: int = 256,
        verbose: int = 1,
    ) -> None:
        check_integer("every", every, minimum=1)
        check_number("factor", factor, above=0)
        check_integer("max_rollbacks", max_rollbacks, minimum=0)
        check_number("memory", memory, above=0)
        super().__init__()
        self.directory = None if directory is None else writable_directory(directory)
        self.rollback = rollback
        self.every = every
        self.factor = factor
        self.max_rollbacks = max_rollbacks
        self.memory = memory
        self.verbose = verbose
        self.finding, self.findings, self.rollbacks = None, [], 0
        self._scale = 1.0
        self._repeater, self._of, self._is_new = None, no_model, True
        self._epoch = self._batch = 0
        self._forget()

    @property
    def processes(self) -> str:
        """With several processes it runs in "every" one of PyTorch; on JAX and TensorFlow "none" has the whole batch."""
        return "every" if keras.backend.backend() == "torch" else "none"

    # What Keras calls. `self.model` is left alone: on JAX it moves the state of the step back into the model.

    def on_train_begin(self, logs: Logs = None) -> None:
        self._forget()
        check_can_train(self._model, "NumericsGuard")
        self._unseen = UnseenOptimizers(self._model, "NumericsGuard", "it cannot put back its state")
        if self.rollback:
            check_rates(self._model)
        # What is not finite now, is meant so. A layer may have been thawed since the last `fit`.
        self._is_new = True
        if keras.backend.backend() != "tensorflow":
            self._of = no_model

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch
        # Metrics begin anew.
        self._forget()
        if self._scale != 1.0:
            scale_schedules(self._model, self._scale)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._batch = batch
        attach(self._model, self)

    def on_test_begin(self, logs: Logs = None) -> None:
        self._look_between_steps()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._unseen.tell()
        self._look_between_steps()

    def on_train_end(self, logs: Logs = None) -> None:
        detach(self._model)
        self._forget()

    # What `TrainFunctionHook` calls.

    def before_step(self, state: Any, batches: Any) -> None:
        """Copies the state where there is no copy yet."""
        if self._good is not None or not is_ready(self._model, batches[0] if batches else None):
            return
        self._good = self._repeat().state.copy(state)
        if self._is_new:
            self._repeater.excused, self._is_new = ~self._good.finite, False
        self._record.measure(self._model, batches, self.memory, (self.params or {}).get("steps"))

    def after_step(self, logs: Any, state: Any, batches: Any) -> tuple[Any, Any]:
        """Keeps the batches, and looks at the state if it is time to."""
        self._logs = logs
        is_full = self._record.add(self._batch, batches, logs.get("loss"))
        # Before the first step of a model with a step of its own there was nothing to copy.
        if not is_full and self._good is not None:
            return logs, state
        return self._look(logs, state)

    # State for a run that is resumed in another process.

    def state_dict(self) -> dict[str, Any]:
        """Rollbacks and findings so far. Looks at the training first and copies its state, as the resumed run will."""
        self._look_between_steps()
        return {
            "rollbacks": self.rollbacks,
            "scale": self._scale,
            "findings": [vars(finding).copy() for finding in self.findings],
        }

    def load_state_dict(self, state: Any) -> None:
        """Goes on from what `state_dict` returned; lowers the optimizer's schedule again."""
        self.rollbacks, self._scale = int(state["rollbacks"]), float(state["scale"])
        self.findings = [NonFiniteReport(**finding) for finding in state["findings"]]
        self.finding = self.findings[-1] if self.findings else None
        self._forget()
        if self._scale != 1.0 and self._model is not None:
            scale_schedules(self._model, self._scale)

    # Looking.

    def _forget(self):
        self._good, self._logs = None, {}
        self._record = StepRecord(self.every)

    def _repeat(self):
        """The repeater of the training function that `fit` uses now; on TensorFlow it is traced once for each."""
        own = own_function(self._model)
        # In an epoch, layers stay as they are and optimizers are built by the end of the first step.
        is_stale = self._good is None and self._repeater is not None and not self._repeater.is_current()
        if self._of() is not own or is_stale:
            before, self._repeater = self._repeater, StepRepeater(self._model)
            if before is not None:
                self._repeater.excuse_as(before)
            # Not kept alive: JAX would go on with what was traced for a function that Keras has replaced.
            self._of = weakref.ref(own)
        return self._repeater

    def _look_between_steps(self):
        if not self._record and self._good is None:
            return
        if keras.backend.backend() == "jax":
            self._model.jax_state_sync()
        if self._record:
            self._look(self._logs, None)
        elif self._record.is_seen:
            self._look_after_the_steps()

    def _look_after_the_steps(self):
        """The steps so far were fine: what is not finite now, another callback has written."""
        now = self._repeater.state.copy()
        if self._repeater.is_good({}, now):
            return
        origin = from_outside(self._repeater, now, "Another callback has written it: all was finite after the last step")
        origin = of_all_processes(origin)
        self.finding = NonFiniteReport(*origin[:2], self._epoch, self._batch, *origin[2:])
        self.findings.append(self.finding)
        if self.rollback and self.rollbacks < self.max_rollbacks:
            self.rollbacks += 1
            self.finding.action = (
                f"Rollback {self.rollbacks} of {self.max_rollbacks}: training goes on as it was after that step"
            )
        else:
            self._model.stop_training = True
            self.finding.action = "Training stops; the model is as it was after that step"
        self._tell(None)
        self._repeater.state.assign(self._repeater.with_metrics_of(now, self._good))

    def _look(self, logs, state):
        """(logs, state) as they are if all is well, else those after the repair; the state is None outside of JAX's step."""
        if self._good is None and not is_ready(self._model, None):
            return logs, state
        copy = self._repeat().state.copy(state)
        if not self._repeater.is_good(logs, copy) or self._repeater.is_stalled(copy):
            logs, copy = self._repair(logs, copy)
            there = self._repeater.go_to(copy)
            processes().load_own_state(copy.own, self._batch + 1)
            state = None if state is None else there
        self._good = copy
        self._record.drop()
        return logs, state

    # Acting.

    def _repair(self, logs, now):
        """(logs, copy) to go on with: after a rollback, or with training stopped."""
        steps = self._record.steps()
        while True:
            first = find_first_nonfinite_step(self._repeater, self._good, steps, now)
            step = steps[first.index]
            origin = of_all_processes(first.origin)
            self.finding = NonFiniteReport(*origin[:2], self._epoch, step.number, *origin[2:])
            self.findings.append(self.finding)
            is_over = self.rollbacks >= self.max_rollbacks or self._good is None or self._repeater.is_stalled(now)
            if not self.rollback or is_over:
                return logs, self._stop(step, first.before, now)
            self._go_back(step)
            # Batches that were not seen cannot be trained on once more.
            steps = [] if step.batches is None else [other for other in steps if other is not step]
            logs, now = self._repeater.repeat(self._good, steps)
            if self._repeater.is_good(logs, now):
                return logs, now

    def _stop(self, step, before, now):
        """The state that the model is left with."""
        self._model.stop_training = True
        self.finding.action = "Training stops"
        if before is None:
            self._tell(step)
            return now
        self.finding.action += "; the model has the weights from before this step"
        self._tell(step)
        return self._repeater.with_metrics_of(now, before)

    def _go_back(self, step):
        """Lowers the learning rate, unless the data are at fault."""
        self.rollbacks += 1
        self.finding.action = f"Rollback {self.rollbacks} of {self.max_rollbacks}: training goes on without this batch"
        if self.finding.kind != "input":
            self.finding.action += f", with the learning rate x {self.factor:g}"
            self._good, scale = lower_rates(self._model, self._repeater.state, self._good, self.factor)
            self._scale = scale or self._scale
        self._tell(step)

    def _tell(self, step):
        here = processes()
        batch = step.batches[0] if step and step.batches and not here.brings_own_share else None
        self.finding.tell(self.directory if here.rank == 0 else None, batch, self.verbose)
