"""Event files for TensorBoard without TensorFlow."""

import itertools
import os
import time
from pathlib import Path

import keras

from kerasmith.callbacks.learning_rate_log import rate_now
from kerasmith.callbacks.run_report import scalars

_NUMBERS = itertools.count()


class TensorBoard(keras.callbacks.Callback):
    """Writes the logs of each epoch as TensorBoard scalars. Needs the `tensorboard` package, never TensorFlow.

    As with `keras.callbacks.TensorBoard`, the training values are in the run `<log_dir>/train`, those of the validation in
    `<log_dir>/validation`, both with the tag `epoch_<name>`, so that TensorBoard draws them in one chart; the step is the
    epoch, counted from 0. The file is flushed after each epoch.

    Args:
        log_dir: the directory; created when training begins.
        flat: one event file directly in `log_dir`, with the names of the logs (`loss`, `val_loss`) as tags.

    Raises:
        ImportError: if the `tensorboard` package is missing.

    Example:

    >>> import tempfile
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x, y = keras.ops.ones((4, 2)), keras.ops.ones((4, 1))
    >>> with tempfile.TemporaryDirectory() as scratch:
    ...     _ = model.fit(x, y, verbose=0, callbacks=[TensorBoard(scratch, flat=True)])
    ...     [path.name[:20] for path in Path(scratch).iterdir()]
    ['events.out.tfevents.']
    """

    def __init__(self, log_dir, *, flat=False):
        super().__init__()
        _event_parts()
        self.log_dir = Path(log_dir).expanduser()
        self.flat = flat
        self._files = {}
        self._next_step = 0
        self._offset = None

    def on_train_begin(self, logs=None):
        self._offset = None

    def on_epoch_end(self, epoch, logs=None):
        if self._offset is None:
            # A second `fit` goes on to the right instead of drawing over the first one.
            self._offset = max(self._next_step - epoch, 0)
        step = epoch + self._offset
        self._next_step = step + 1
        values = scalars(logs or {})
        if "learning_rate" not in values:
            rate = rate_now(self.model.optimizer)
            values |= {} if rate is None else {"learning_rate": rate}
        runs = {}
        for name, value in values.items():
            run, tag = self._place(name)
            runs.setdefault(run, {})[tag] = value
        for run, scalars_of_run in runs.items():
            self._file(run).add(scalars_of_run, step)

    def on_train_end(self, logs=None):
        self.close()

    def close(self):
        """Closes the event files; a later epoch opens new ones."""
        for file in self._files.values():
            file.close()
        self._files = {}

    def _place(self, name):
        if self.flat:
            return ".", name
        if name.startswith("val_"):
            return "validation", "epoch_" + name.removeprefix("val_")
        return "train", "epoch_" + name

    def _file(self, run):
        if run not in self._files:
            self._files[run] = _EventFile(self.log_dir / run)
        return self._files[run]


class _EventFile:
    """One event file, flushed after each group of values."""

    def __init__(self, directory):
        self._event_pb2, self._summary_pb2, record_writer = _event_parts()
        directory.mkdir(parents=True, exist_ok=True)
        # The usual name has the host's name as fourth part; a run directory is often passed on, so it stays out.
        name = f"events.out.tfevents.{int(time.time()):010d}.kerasmith.{os.getpid()}.{next(_NUMBERS)}"
        self._writer = record_writer(open(directory / name, "wb"))  # noqa: SIM115
        self._write(self._event_pb2.Event(wall_time=time.time(), file_version="brain.Event:2"))

    def add(self, values, step):
        entries = [self._summary_pb2.Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        summary = self._summary_pb2.Summary(value=entries)
        self._write(self._event_pb2.Event(wall_time=time.time(), step=step, summary=summary))

    def close(self):
        self._writer.close()

    def _write(self, event):
        self._writer.write(event.SerializeToString())
        self._writer.flush()


def _event_parts():
    try:
        # Not tensorboard's EventFileWriter nor its `tf` module: both import TensorFlow where it is installed.
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError as error:
        raise ImportError(
            "callbacks.TensorBoard needs the tensorboard package: `pip install tensorboard`, or `pip install kerasmith[demo]`"
        ) from error
    return event_pb2, summary_pb2, RecordWriter
