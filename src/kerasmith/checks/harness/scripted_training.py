"""Runs callbacks through a training that is only told: the hooks in the order of `fit`, logs from a scenario, no gradients."""

import contextlib
import functools
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kerasmith.checks.engine.lazy_keras import keras, ops
from kerasmith.checks.harness import tiny_model
from kerasmith.checks.harness.attributes import is_array, reached_from
from kerasmith.checks.harness.scenarios import Scenario
from kerasmith.checks.harness.temporary_cwd import files_here
from kerasmith.checks.harness.trace import Trace

STEPS, TEST_STEPS = 3, 2


class Script:
    """A training of the tiny model that happens on paper: each "step" moves the weights a little.

    Args:
        scenario: a `Scenario`.
        printed: the `io.StringIO` of `temporary_cwd`.
        model: the tiny model.
        watch: called as `watch(hook, epoch, step)` after each hook that the callback has had.
        history: "after" or "before": where `keras.callbacks.History` stands in the list.
        shift: makes the movements of the weights differ from those of another script.

    Attributes:
        now: (hook, epoch, step) that runs, where there is an epoch and a step.
    """

    def __init__(
        self,
        scenario: Scenario,
        printed: io.StringIO,
        model: Any,
        watch: Callable[[str, int | None, int | None], None] | None = None,
        history: str = "after",
        shift: int = 0,
    ) -> None:
        self.scenario: Scenario = scenario
        self.printed: io.StringIO = printed
        self.model: Any = model
        self.watch: Callable[[str, int | None, int | None], None] = watch or (lambda hook, epoch, step: None)
        self.history: str = history
        self.shift: int = shift
        self.now: tuple[str | None, int | None, int | None] = (None, None, None)

    def run(self, callback: Any, first: int = 0, until: int | None = None, restore: Callable[[], None] | None = None) -> Trace:
        """Plays the training; returns its `Trace`.

        Args:
            first: the first epoch.
            until: the epoch before which the process is "killed": no hook runs any more.
            restore: called when training has begun, as a resume does it, before the first epoch.
        """
        self.trace: Trace = Trace(first=first)
        trace = self.trace
        self.callback: Any = callback
        self._read = len(self.printed.getvalue())
        before, after = _recorder()(), _recorder()()
        history = [keras.callbacks.History()]
        listed = [*(history if self.history == "before" else []), before, callback, after]
        listed += history if self.history == "after" else []
        self.pair: tuple[Any, Any] = (before, after)
        self.hooks: Any = keras.callbacks.CallbackList(
            listed, add_history=False, model=self.model, epochs=self.scenario.epochs, steps=STEPS, verbose=0
        )
        self.model.stop_training = False
        self._call("on_train_begin", None, None)
        if restore is not None:
            restore()
        logs = None
        last = self.scenario.epochs if until is None else until
        for epoch in range(first, last):
            logs = self._epoch(epoch)
            if self.model.stop_training:
                trace.stopped, trace.asked_to_stop = epoch, True
                break
        if until is None or trace.stopped is not None:
            self._call("on_train_end", None, None, logs)
            trace.final = tiny_model.weights(self.model)
            trace.printed["end"] = self._new_text()
        trace.files = files_here()
        trace.attributes = dict(vars(callback))
        return trace

    def _epoch(self, epoch: int) -> dict[str, float]:
        scenario, trace = self.scenario, self.trace
        self._call("on_epoch_begin", epoch, None, epoch)
        trace.rates[epoch] = []
        for step in range(STEPS):
            self._call("on_train_batch_begin", epoch, step, step)
            trace.rates[epoch].append(tiny_model.rate(self.model))
            self._move(epoch, step)
            self._call("on_train_batch_end", epoch, step, step, scenario.batch_logs(epoch, step))
            if self.model.stop_training:
                break
        if scenario.has_validation(epoch):
            self._call("on_test_begin", epoch, None)
            for step in range(TEST_STEPS):
                self._call("on_test_batch_begin", epoch, step, step)
                self._call("on_test_batch_end", epoch, step, step, scenario.test_logs(epoch))
            self._call("on_test_end", epoch, None, scenario.test_logs(epoch))
        logs = scenario.epoch_logs(epoch)
        self._call("on_epoch_end", epoch, None, epoch, logs)
        trace.logs[epoch] = self.pair[1].seen
        trace.weights[epoch] = tiny_model.weights(self.model)
        trace.printed[epoch] = self._new_text()
        trace.held[epoch] = self._held()
        return logs

    def _call(self, hook: str, epoch: int | None, step: int | None, *arguments: Any) -> None:
        before, after = self.pair
        self.now = hook, epoch, step
        before.seen = after.seen = None
        getattr(self.hooks, hook)(*arguments)
        if before.seen is not None:
            for key, value in before.seen.items():
                now = (after.seen or {}).get(key)
                if key not in (after.seen or {}) or not (now is value or now == value or (now != now and value != value)):
                    self.trace.touched.append((hook, key, value, now))
        self.watch(hook, epoch, step)

    def _move(self, epoch: int, step: int) -> None:
        """What a step of training leaves behind: other weights, one more iteration."""
        kernel = self.model.layers[0].kernel
        change = 0.01 * np.sin(np.arange(kernel.shape[0]) + 10 * epoch + step + self.shift).astype("float32")
        kernel.assign(np.array(ops.convert_to_numpy(kernel)) + change[:, None])
        self.model.optimizer.iterations.assign(STEPS * epoch + step + 1)

    def _held(self) -> int:
        """Numbers in the arrays and tensors that the callback holds; those of the model are not looked for."""
        arrays = {id(place.value): place.value for place in reached_from(self.callback) if is_array(place.value)}
        return sum(int(np.prod(array.shape)) for array in arrays.values() if array.shape)

    def _new_text(self) -> str:
        text = self.printed.getvalue()
        new, self._read = text[self._read :], len(text)
        return new


@contextlib.contextmanager
def counted_model_access(count: Callable[[Any], None]) -> Iterator[None]:
    """Calls `count(callback)` whenever a callback asks for `self.model` in the block."""
    cls = keras.callbacks.Callback
    original = vars(cls)["model"]
    cls.model = property(lambda callback: (count(callback), original.fget(callback))[1])
    try:
        yield
    finally:
        cls.model = original


@functools.cache
def _recorder() -> type:
    class Recorder(keras.callbacks.Callback):
        """Copies the logs that pass."""

        seen = None

    def keep(self, *arguments: Any, logs: Any = None) -> None:
        logs = arguments[-1] if logs is None and arguments and isinstance(arguments[-1], dict) else logs
        self.seen = dict(logs or {})

    for name in ("train_batch_end", "test_batch_end", "epoch_end", "test_end", "train_end"):
        setattr(Recorder, f"on_{name}", keep)
    return Recorder
