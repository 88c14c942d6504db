"""Ends a run in time, so that the next one can go on."""

import collections
import datetime
import math
import numbers
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from kerasmith._types import Logs
from kerasmith.base.arguments import check_choice, check_number
from kerasmith.callbacks.copies import Copyable
from kerasmith.callbacks.epoch_lines import clock as written
from kerasmith.files import run_events
from kerasmith.files.messages import say

_IMPORTED = time.monotonic()
_LATEST_STEPS = 20
_UNITS = (1, 60, 3600)


class TimeLimit(Copyable, keras.callbacks.Callback):
    """Stops training before a time limit, such as that of a batch queue or a notebook service.

    Training ends with an epoch if the next one, as long as the longest so far with its validation, would not fit any more;
    within an epoch only if time runs out there. With `callbacks.Resume` in the list the same script goes on in its next run;
    each run has the whole limit again. While `pausing` is True, training is about to end only for now.

    The last epoch's validation always runs to its end, since a part of it would be logged as a wrong value. On JAX the loop
    runs ahead of the device by some steps, which still have to finish: `margin` must hold them.

    Args:
        limit: seconds, "H:MM:SS" or "M:SS", or a `datetime.timedelta`.
        margin: what to keep free for whatever follows training, in the same units; by default 5 % of the limit, at most a
            minute.
        since: where the time counts from: "process" (its start, with imports and the loading of data), or "train" (the first
            `fit` with this object).
        total: add up the time of all runs of a resumed training.
        clock: a function that returns seconds.

    Raises:
        TypeError, ValueError: for a limit that is no time, or a margin as long as it.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x, y = keras.ops.ones((4, 2)), keras.ops.ones((4, 1))
    >>> hours = iter(range(0, 10**6, 3600))
    >>> limit = TimeLimit("24:00:00", since="train", clock=lambda: next(hours))
    >>> epochs = len(model.fit(x, y, epochs=1000, verbose=0, callbacks=[limit]).history["loss"])  # doctest: +ELLIPSIS
    TimeLimit: ... Run again to go on.
    >>> epochs < 1000 and limit.pausing
    True
    """

    since: str

    def __init__(
        self,
        limit: Any,
        *,
        margin: Any = None,
        since: str = "process",
        total: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit: float = seconds_of("limit", limit)
        self.margin: float = min(60.0, 0.05 * self.limit) if margin is None else seconds_of("margin", margin)
        if self.margin >= self.limit:
            raise ValueError(f"`margin` must be shorter than `limit`. Received: margin={margin!r}, limit={limit!r}")
        check_choice("since", since, ("process", "train"))
        super().__init__()
        self.since = since
        self.total: bool = bool(total)
        self.pausing: bool = False
        self._clock = clock
        self._start = clock() - process_seconds() if since == "process" else None
        self._before = 0.0
        self._longest_epoch = self._longest_validation = 0.0
        self._steps = collections.deque(maxlen=_LATEST_STEPS)
        self._epoch = self._epoch_start = self._validation_start = self._step_start = None
        self._training = self._is_announced = False

    @property
    def elapsed(self) -> float:
        """Seconds used so far; those of earlier runs too with `total`."""
        return self._before + (0.0 if self._start is None else self._clock() - self._start)

    def on_train_begin(self, logs: Logs = None) -> None:
        if self._start is None:
            self._start = self._clock()
        self.pausing = self._is_announced = False
        self._training = True
        self._steps.clear()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch, self._epoch_start, self._step_start = epoch, self._clock(), None

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        if self.pausing:
            if not self._is_announced:
                # `Resume` has just saved; `fit` still makes the step that begins now.
                self._stop(f"in epoch {self._epoch + 1}", "no step more fits")
            return
        now = self._clock()
        if self._step_start is not None:
            self._steps.append(now - self._step_start)
        self._step_start = now
        # Seen one step later, there are three to make (the one that begins now, that one, and the last) or the epoch ends.
        left = ((self.params or {}).get("steps") or math.inf) - batch
        need = min(3, left) * max(self._steps, default=0.0) + self._longest_validation
        self.pausing = now - self._start + self._before + need > self.limit - self.margin

    def on_test_begin(self, logs: Logs = None) -> None:
        self._validation_start = self._clock() if self._training else None

    def on_test_end(self, logs: Logs = None) -> None:
        if self._validation_start is not None:
            self._longest_validation = max(self._longest_validation, self._clock() - self._validation_start)
            self._validation_start = None

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        now = self._clock()
        self._longest_epoch = max(self._longest_epoch, now - self._epoch_start)
        epochs = (self.params or {}).get("epochs")
        if self._is_announced:
            return
        if (epochs is not None and epoch + 1 >= epochs) or self.model.stop_training:
            self.pausing = False  # over for good
            return
        fits = now - self._start + self._before + self._longest_epoch <= self.limit - self.margin
        if self.pausing or not fits:
            self.pausing = True
            self._stop(f"after epoch {epoch + 1}", f"an epoch takes up to {written(self._longest_epoch)}")

    def on_train_end(self, logs: Logs = None) -> None:
        self._training = False

    # State for a run that is resumed in another process.

    def state_dict(self) -> dict[str, Any]:
        """The time used, and how long epochs and validations take."""
        return {"elapsed": self.elapsed, "epoch": self._longest_epoch, "validation": self._longest_validation}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Knows from what `state_dict` returned how long an epoch takes; with `total`, also how much time is used up."""
        self._longest_epoch = max(self._longest_epoch, float(state["epoch"]))
        self._longest_validation = max(self._longest_validation, float(state["validation"]))
        if self.total:
            self._before = float(state["elapsed"])

    def _stop(self, where: Any, why: str) -> None:
        self._is_announced = True
        self.model.stop_training = True
        epochs = (self.params or {}).get("epochs")
        of = f" of {epochs}" if epochs else ""
        text = f"training stops {where}{of}, {written(self.elapsed)} of {written(self.limit)} are over and {why}"
        run_events.tell("time limit", text, by="TimeLimit")
        say(f"TimeLimit: {text}. Run again to go on.")


def seconds_of(name: str, value: Any) -> float:
    """Seconds of a number, "H:MM:SS" or "M:SS", or a `datetime.timedelta`.

    >>> seconds_of("limit", "1:30:00"), seconds_of("limit", "2:05"), seconds_of("limit", 7)
    (5400.0, 125.0, 7.0)
    """
    if isinstance(value, datetime.timedelta):
        value = value.total_seconds()
    if isinstance(value, str):
        parts = value.strip().split(":")
        try:
            numbers_of = [float(part) for part in parts]
        except ValueError:
            numbers_of = []
        whole = all(part.isdigit() for part in parts[:-1])
        if not 2 <= len(numbers_of) <= 3 or not whole or not all(0 <= n < 60 for n in numbers_of[1:]):
            raise ValueError(f'`{name}` must be seconds, "H:MM:SS" or "M:SS". Received: {name}={value!r}')
        value = sum(n * unit for n, unit in zip(reversed(numbers_of), _UNITS, strict=False))
    if not isinstance(value, numbers.Real):
        raise TypeError(f'`{name}` must be seconds, "H:MM:SS", "M:SS" or a timedelta. Received: {name}={value!r}')
    check_number(name, value, minimum=0)
    return float(value)


def process_seconds() -> float:
    """How long this process has been running; since the import of this module where the system does not tell."""
    try:
        ticks = float(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        up = float(Path("/proc/uptime").read_text().split()[0])
        age = up - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        age = math.nan
    return age if 0 <= age < 1e9 else time.monotonic() - _IMPORTED
