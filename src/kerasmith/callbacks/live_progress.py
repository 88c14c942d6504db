"""A live view of `fit` in the terminal."""

import atexit
import collections
import sys
import threading
import time

import keras
from rich.console import Console
from rich.errors import LiveError
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from kerasmith.base.direction import directions_of
from kerasmith.callbacks.epoch_lines import EpochLines, clock
from kerasmith.callbacks.log_values import scalars
from kerasmith.report.numbers import format_number

_REFRESH_PER_SECOND = 4
_RATE_WINDOW_SECONDS = 8.0
_WATCH_SECONDS = 0.25
_SAID_ROOM = len("12.34 steps/s  0:45 left, run 1:07:09")


class LiveProgress(keras.callbacks.Callback):
    """Shows the running epoch as a bar and the finished epochs as a growing table; for `fit(verbose=0)`.

    The bar has step rate, time left in the epoch and in the run, and the running values. A value in green is the best so
    far. Where the output is no terminal (a log file, CI) each epoch is one plain line.

    The screen is drawn four times a second by a thread of its own; a training step only leaves its logs behind. When `fit`
    ends with an exception the terminal is restored, at the latest when the interpreter ends. After a resume the table and its
    last line know the epochs before.

    Args:
        console: a `rich.console.Console`; standard output by default.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    >>> model.compile(keras.optimizers.SGD(0.1), "mse")
    >>> x, y = keras.ops.ones((4, 2)), keras.ops.ones((4, 1))
    >>> import io
    >>> page = io.StringIO()
    >>> _ = model.fit(x, y, epochs=2, verbose=0, callbacks=[LiveProgress(Console(file=page))])
    >>> page.getvalue().splitlines()[0].split()[-2:]
    ['loss', '1.0000']
    """

    # Keras may call `on_train_batch_end` from its own threads then, and the training step does not wait for the values.
    async_safe = True

    def __init__(self, console=None):
        super().__init__()
        self.console = console or Console()
        self._lock = threading.RLock()
        self._live = None
        self._reset()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Takes the bar away and gives the terminal back."""
        with self._lock:
            live, self._live = self._live, None
            self._closed.set()
        if live is not None:
            atexit.unregister(self.close)
            live.stop()

    # What Keras calls.

    def on_train_begin(self, logs=None):
        self.close()
        self._reset()
        self._start = time.perf_counter()
        self._open()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._done, self._latest, self._phase = epoch, 0, {}, "training"
        self._epoch_start, self._epoch_earlier, self._skipped = time.perf_counter(), 0.0, None
        self._marks.clear()
        self._first_epoch = epoch if self._first_epoch is None else self._first_epoch
        if self._lines.rows and epoch == self._first_epoch:
            self._read_directions()
            self._print([Text("so far ").append_text(line) for line in self._lines.closing(self._earlier)])

    def on_train_batch_begin(self, batch, logs=None):
        if self._skipped is None:
            self._skipped = batch  # after a resume in the middle of an epoch

    def on_train_batch_end(self, batch, logs=None):
        if batch + 1 >= self._done:  # threads may overtake each other
            self._done, self._latest = batch + 1, logs or {}

    def on_test_begin(self, logs=None):
        self._phase, self._tested = "validating", 0

    def on_test_batch_begin(self, batch, logs=None):
        self._tested = batch

    def on_epoch_end(self, epoch, logs=None):
        took = self._epoch_earlier + time.perf_counter() - self._epoch_start
        if epoch == (self._first_epoch or 0) + 1 and self._epoch_seconds:
            self._epoch_seconds.pop()  # the first epoch holds the compilation and tells little of the others
        known = self._done if self._epoch_earlier else self._done - (self._skipped or 0)
        self._epoch_seconds.append(took * self._done / known if known > 0 else took)
        # The length of a generator is known once it has ended.
        self._steps_seen = self._done or self._steps_seen
        self._read_directions()
        self._print(self._lines.add(epoch + 1, self._epochs(), took, scalars(logs or {}), self._width()))
        self._phase = "between"

    def on_train_end(self, logs=None):
        self.close()
        self._read_directions()
        self._print(self._lines.closing(self._seconds()))

    # State for a run that is resumed in another process.

    def state_dict(self):
        """The epochs so far and the clock, as plain data."""
        now = time.perf_counter()
        return {
            "rows": [dict(row) for row in self._lines.rows],
            "seconds": self._seconds(),
            "epoch_running": self._epoch_earlier + now - self._epoch_start if self._phase == "training" else 0.0,
            "epoch_seconds": list(self._epoch_seconds),
        }

    def load_state_dict(self, state):
        """Goes on after the epochs of the state."""
        self._lines.rows = [dict(row) for row in state["rows"]]
        # What this process needed to get here is no training.
        self._start = self._epoch_start = time.perf_counter()
        self._earlier, self._epoch_earlier = float(state["seconds"]), float(state["epoch_running"])
        self._epoch_seconds.clear()
        self._epoch_seconds.extend(state["epoch_seconds"])
        self._marks.clear()

    # Drawing.

    def _reset(self):
        self._closed = threading.Event()
        self._lines = EpochLines()
        self._epoch = self._done = self._tested = 0
        self._first_epoch = self._steps_seen = self._skipped = None
        self._earlier = self._epoch_earlier = 0.0
        self._latest, self._phase = {}, "starting"
        self._start = self._epoch_start = time.perf_counter()
        self._epoch_seconds = collections.deque(maxlen=5)
        self._marks = collections.deque()

    def _open(self):
        if not self.console.is_terminal or self.console.is_dumb_terminal:
            return
        live = Live(get_renderable=self._frame, console=self.console, refresh_per_second=_REFRESH_PER_SECOND, transient=True)
        try:
            live.start()
        except LiveError:  # somebody else's live view has the terminal: plain lines then
            return
        self._live = live
        atexit.register(self.close)
        owner = sys._getframe(1)
        while owner.f_back is not None and owner.f_code.co_name in ("_open", "on_train_begin"):
            owner = owner.f_back
        watch = threading.Thread(
            target=_close_when_left, args=(self.close, self._closed, threading.get_ident(), owner), daemon=True
        )
        watch.start()

    def _print(self, lines):
        for line in lines:
            self.console.print(line, soft_wrap=not self.console.is_terminal, highlight=False)

    def _read_directions(self):
        self._lines.directions = directions_of(self.model.metrics) if self.model is not None else {}

    def _seconds(self):
        return self._earlier + time.perf_counter() - self._start

    def _width(self):
        return self.console.width if self._live is not None else None

    def _epochs(self):
        return (self.params or {}).get("epochs")

    def _frame(self):
        """The bar; called by the drawing thread."""
        steps, done = (self.params or {}).get("steps") or self._steps_seen, self._done
        rate = self._rate(done)
        place, said = f"epoch {self._epoch + 1}/{self._epochs() or '?'}", self._said(steps, done, rate)
        known = steps and self._phase != "starting"
        count = f"{done}/{steps}" if known else f"{done or ''}"
        # Room for the longest text and one value, so that the bar keeps its length and the line stays one line.
        used = len(place) + len(count) + max(len(said), _SAID_ROOM) + 4 * 2
        bar = max(8, min(36, self.console.width - used - len("loss 0.1234")))
        grid = Table.grid(padding=(0, 2), expand=False)
        for _ in range(5):
            grid.add_column(no_wrap=True)
        grid.add_row(
            Text(place, style="bold"),
            ProgressBar(total=steps, completed=done, width=bar) if known else ProgressBar(total=None, pulse=True, width=bar),
            Text(count),
            Text(said, style="cyan"),
            Text(self._values(self.console.width - used - bar), style="dim"),
        )
        return grid

    def _said(self, steps, done, rate):
        if self._phase == "validating":
            return f"validating, step {self._tested + 1}"
        if not done:
            return "preparing the first step" if not self._epoch_seconds else "next epoch"
        if rate is None:
            return ""
        said = f"{format_number(rate, 3)} steps/s"
        if steps:
            left = max(steps - done, 0) / rate
            said += f"  {clock(left)} left"
            epochs = (self._epochs() or 0) - self._epoch - 1
            if epochs > 0:
                usual = sum(self._epoch_seconds) / len(self._epoch_seconds) if self._epoch_seconds else steps / rate
                said += f", run {clock(left + epochs * usual)}"
        return said

    def _rate(self, done):
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

    def _values(self, room):
        # Only here, a few times a second, may a value have to come from the device.
        values = scalars(dict(self._latest))
        said = []
        for name in sorted(values, key=lambda name: name != "loss"):
            text = f"{name} {format_number(values[name])}"
            if sum(map(len, said)) + 2 * len(said) + len(text) > room:
                break
            said.append(text)
        return "  ".join(said)


def _close_when_left(close, closed, thread, owner):
    """Calls `close` when the function that trains (`owner`) is left without `on_train_end`, after an exception."""
    missing = 0
    # One look may fall between two frames of the running thread; three in a row do not.
    while missing < 3:
        if closed.wait(_WATCH_SECONDS):
            return
        frame = sys._current_frames().get(thread)
        while frame is not None and frame is not owner:
            frame = frame.f_back
        missing = 0 if frame is owner else missing + 1
    close()
