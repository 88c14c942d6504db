"""A live view of `fit` in the terminal."""

import collections
import time
import weakref
from collections.abc import Iterable, Sequence
from typing import Any

import keras
from rich.console import Console
from rich.errors import LiveError
from rich.text import Text

from kerasmith._types import Logs
from kerasmith.base.direction import directions_of
from kerasmith.callbacks.copies import no_model
from kerasmith.callbacks.epoch_bar import EpochBar, without_exit
from kerasmith.callbacks.epoch_lines import EpochLines, clock
from kerasmith.callbacks.log_values import scalars
from kerasmith.callbacks.printable_renderable import PrintableRenderable
from kerasmith.callbacks.watcher import Watcher
from kerasmith.keras_internals import fit_call
from kerasmith.keras_internals.learning_rate import rates_of
from kerasmith.keras_internals.optimizers import training_optimizers
from kerasmith.report.numbers import format_number
from kerasmith.report.training import LEARNING_RATE

_RATE_WINDOW_SECONDS = 8.0
_PACE_WIDTH = len("12.34 steps/s  0:45 left, run 1:07:09")


class LiveProgress(Watcher):
    """Shows the running epoch as a bar and the finished epochs as a growing table; for `fit(verbose=0)`.

    The bar has step rate, time left in the epoch and in the run, and the running values. On 80 columns the table has the loss,
    the two metrics that matter most - what callbacks monitor first - and the learning rate, on more columns more. A value in
    green is the best so far. Where the output is no terminal (a log file, CI) each epoch is one short plain line. The last
    line has the best values.

    The screen is drawn four times a second by a thread of its own; a training step only leaves its logs behind. When `fit`
    ends with an exception, the terminal is restored as soon as the exception is handled or shown, at the latest when the
    interpreter ends. After a resume the table and its last line know the epochs before. An output that is closed, or lacks a
    character, never ends a training.

    Args:
        console: a `rich.console.Console`; standard output by default.
        columns: names of the values that are shown, in this order; by default what matters most (since 0.2).

    Example:

    >>> import io, keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    >>> model.compile(keras.optimizers.SGD(0.1), "mse")
    >>> x, y = keras.ops.ones((4, 2)), keras.ops.ones((4, 1))
    >>> page = io.StringIO()
    >>> _ = model.fit(x, y, epochs=2, verbose=0, callbacks=[LiveProgress(Console(file=page))])
    >>> page.getvalue().splitlines()[0].split()[-4:]
    ['loss', '1.0000', 'learning_rate', '0.1000']
    """

    # Keras may call `on_train_batch_end` from its own threads then, and the training step does not wait for the values.
    async_safe = True
    of_one_fit = {"_closer": no_model, "_bar": no_model, "_marks": collections.deque}
    shared = ("console",)

    def __init__(self, console: Console | None = None, *, columns: Sequence[str] | None = None):
        super().__init__()
        if isinstance(columns, str):
            raise TypeError(f"`columns` is a list of names, such as [{columns!r}]. Received: columns={columns!r}")
        self.columns: tuple[str, ...] | None = None if columns is None else tuple(columns)
        self.console: Console = console or Console()
        self._closer = None
        self._reset()

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "console": None}  # an output belongs to its process

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({**state, "console": state["console"] or Console()})

    def __enter__(self) -> "LiveProgress":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Takes the bar away and gives the terminal back."""
        if self._closer is not None:
            self._closer()

    # What Keras calls.

    def on_train_begin(self, logs: Logs = None) -> None:
        self.close()
        self._reset()
        fit = fit_call.find()
        monitors = [getattr(callback, "monitor", None) for callback in (fit.callbacks.callbacks if fit is not None else ())]
        self._lines.monitored = tuple(name for name in monitors if isinstance(name, str))
        self._open()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch, self._done, self._latest, self._phase = epoch, 0, {}, "training"
        self._epoch_start, self._epoch_earlier, self._skipped = time.perf_counter(), 0.0, None
        self._marks.clear()
        self._first_epoch = epoch if self._first_epoch is None else self._first_epoch
        if self._lines.rows and epoch == self._first_epoch:
            self._read_directions()
            self._print([Text("so far ").append_text(line) for line in self._lines.closing(self._earlier)])

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        if self._skipped is None:
            self._skipped = batch  # after a resume in the middle of an epoch

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if batch + 1 >= self._done:  # threads may overtake each other
            self._done, self._latest = batch + 1, logs or {}

    def on_test_begin(self, logs: Logs = None) -> None:
        self._phase, self._tested = "validating", 0

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._tested = batch

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        took = self._epoch_earlier + time.perf_counter() - self._epoch_start
        if epoch == (self._first_epoch or 0) + 1 and self._epoch_seconds:
            self._epoch_seconds.pop()  # the first epoch holds the compilation and is no measure of the others
        measured = self._done if self._epoch_earlier else self._done - (self._skipped or 0)
        self._epoch_seconds.append(took * self._done / measured if measured > 0 else took)
        # The length of a generator is known once it has ended.
        self._steps_seen = self._done or self._steps_seen
        self._read_directions()
        self._print(self._lines.add(epoch + 1, self._epochs(), took, self._with_rate(logs or {}), self._width()))
        self._phase = "between"

    def on_train_end(self, logs: Logs = None) -> None:
        width = self._width()
        self.close()
        self._read_directions()
        self._print(self._lines.closing(self._seconds(), width))

    # State for a run that is resumed in another process.

    def state_dict(self) -> dict[str, Any]:
        """The epochs so far and the clock, as plain data."""
        now = time.perf_counter()
        return {
            "rows": [dict(row) for row in self._lines.rows],
            "seconds": self._seconds(),
            "epoch_running": self._epoch_earlier + now - self._epoch_start if self._phase == "training" else 0.0,
            "epoch_seconds": list(self._epoch_seconds),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on after the epochs of the state."""
        self._lines.rows = [dict(row) for row in state["rows"]]
        # What this process needed to get here is no training.
        self._start = self._epoch_start = time.perf_counter()
        self._earlier, self._epoch_earlier = float(state["seconds"]), float(state["epoch_running"])
        self._epoch_seconds.clear()
        self._epoch_seconds.extend(state["epoch_seconds"])
        self._marks.clear()

    # Drawing.

    def _reset(self) -> None:
        self._lines = EpochLines()
        self._lines.is_whole = self.columns is not None
        self._epoch = self._done = self._tested = 0
        self._first_epoch = self._steps_seen = self._skipped = None
        self._earlier = self._epoch_earlier = 0.0
        self._latest, self._phase = {}, "starting"
        self._start = self._epoch_start = time.perf_counter()
        self._epoch_seconds = collections.deque(maxlen=5)
        self._marks = collections.deque()
        self._bar = EpochBar(self)

    def _open(self) -> None:
        if not self.console.is_terminal or self.console.is_dumb_terminal:
            return
        started = False
        with self.sparing("drawing the bar"), without_exit():
            try:
                self._bar.start()
                started = True
            except LiveError:  # another live view has the terminal: plain lines then
                return
        if not started:
            self._bar.stop()
            return
        # Keras' list of callbacks belongs to the call of `fit` and goes with it, also after an exception.
        fit = fit_call.find()
        self._closer = weakref.finalize(self.console if fit is None else fit.callbacks, self._bar.stop)

    def _print(self, lines: Iterable[Text]) -> None:
        for line in lines:
            with self.sparing("printing"), without_exit():
                printable = PrintableRenderable(line)
                self.console.print(printable, soft_wrap=not self.console.is_terminal, highlight=False)

    def _with_rate(self, logs: dict[str, Any]) -> dict[str, float]:
        """What is shown of an epoch; with the learning rate, if nobody has chosen the columns."""
        values = self._displayed(logs)
        if self.columns is None and LEARNING_RATE not in values and isinstance(self.model, keras.Model):
            rates = rates_of(training_optimizers(self.model))
            values |= {name: rate for name, rate in rates.items() if name == LEARNING_RATE}
        return values

    def _read_directions(self) -> None:
        self._lines.directions = directions_of(self.model.metrics) if self.model is not None else {}

    def _seconds(self) -> float:
        return self._earlier + time.perf_counter() - self._start

    def _width(self) -> int | None:
        return self.console.width if self._closer is not None and self._closer.alive else None

    def _epochs(self) -> int | None:
        return (self.params or {}).get("epochs")

    def _steps(self) -> int | None:
        return (self.params or {}).get("steps") or self._steps_seen

    def _describe(self) -> dict[str, Any]:
        """What the columns of the bar show; called by the drawing thread."""
        steps, done = self._steps(), self._done
        place, pace = f"epoch {self._epoch + 1}/{self._epochs() or '?'}", self._pace(steps, done, self._rate(done))
        # Room for the longest text and one value, so that the bar keeps its length and the line stays one line.
        used = len(place) + 2 * len(str(steps or done)) + 1 + max(len(pace), _PACE_WIDTH) + 4
        bar = max(8, min(36, self.console.width - used - len("loss 0.1234")))
        return {
            "description": place,
            "completed": done,
            "total": steps if self._phase != "starting" else None,
            "bar_width": bar,
            "pace": pace,
            "values": self._values(self.console.width - used - bar),
        }

    def _pace(self, steps: int | None, done: int, rate: float | None) -> str:
        if self._phase == "validating":
            return f"validating, step {self._tested + 1}"
        if not done:
            return "preparing the first step" if not self._epoch_seconds else "next epoch"
        if rate is None:
            return ""
        pace = f"{format_number(rate, 3)} steps/s"
        if steps:
            left = max(steps - done, 0) / rate
            pace += f"  {clock(left)} left"
            epochs = (self._epochs() or 0) - self._epoch - 1
            if epochs > 0:
                usual = sum(self._epoch_seconds) / len(self._epoch_seconds) if self._epoch_seconds else steps / rate
                pace += f", run {clock(left + epochs * usual)}"
        return pace

    def _rate(self, done: int) -> float | None:
        """Steps per second over the last seconds, so that the first, compiling step is soon forgotten."""
        now = time.perf_counter()
        if done and (not self._marks or self._marks[-1][1] != done):
            self._marks.append((now, done))
        while len(self._marks) > 2 and now - self._marks[0][0] > _RATE_WINDOW_SECONDS:
            self._marks.popleft()
        if len(self._marks) < 2:
            return None
        (t0, n0), (t1, n1) = self._marks[0], self._marks[-1]
        return (n1 - n0) / (t1 - t0) if t1 > t0 and n1 > n0 else None

    def _displayed(self, logs: dict[str, Any]) -> dict[str, float]:
        names = logs if self.columns is None else [name for name in self.columns if name in logs]
        return scalars({name: logs[name] for name in names})

    def _values(self, width: int) -> str:
        # Only here, a few times a second, may a value have to come from the device.
        values = self._displayed(dict(self._latest))
        texts: list[str] = []
        order = self._lines.in_order() or ["loss"]
        for name in sorted(values, key=lambda name: order.index(name) if name in order else len(order)):
            text = f"{name} {format_number(values[name])}"
            if sum(map(len, texts)) + 2 * len(texts) + len(text) > width:
                break
            texts.append(text)
        return "  ".join(texts)
