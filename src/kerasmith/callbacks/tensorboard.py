"""Event files for TensorBoard without TensorFlow."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasmith._types import Logs
from kerasmith.base.arguments import check_config
from kerasmith.callbacks.epoch_counter import EpochCounter
from kerasmith.callbacks.event_file import EventFile, event_parts, histogram_value, image_value, scalar_value, text_value
from kerasmith.callbacks.log_values import scalars
from kerasmith.callbacks.watcher import Watcher
from kerasmith.files.plain_data import flat_text
from kerasmith.keras_internals.learning_rate import rates_of
from kerasmith.keras_internals.optimizers import training_optimizers
from kerasmith.report.pixels import as_pixels


class TensorBoard(Watcher):
    """Writes logs, histograms of weights and pictures for TensorBoard. Needs the `tensorboard` package, never TensorFlow.

    As with `keras.callbacks.TensorBoard`, the training values are in the run `<log_dir>/train`, those of the validation in
    `<log_dir>/validation`, both with the tag `epoch_<name>`, so that TensorBoard draws them in one chart; the step is the
    epoch, counted from 0. What is written is in the file at once.

    After a resume the files are cut to what they held at the checkpoint, so each step is there once. A training that begins at
    epoch 0 where older event files lie hides their values from TensorBoard; the files stay.

    Args:
        log_dir: the directory; created when the first value is written.
        flat: one event file directly in `log_dir`, with the names of the logs (`loss`, `val_loss`) as tags.
        histograms: the weights of the model in every n-th epoch, each by its path; 0 for none.
        images: a function of the step that returns {tag: picture}, called after each epoch; see `image` for pictures.
        config: {name: value}, what the run was made with, as a table in the tab TEXT.

    Raises:
        ImportError: if the `tensorboard` package is missing.

    Example:

    >>> import tempfile
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x, y = keras.ops.ones((4, 2)), keras.ops.ones((4, 1))
    >>> with tempfile.TemporaryDirectory() as scratch:
    ...     board = TensorBoard(scratch, flat=True, histograms=1)
    ...     _ = model.fit(x, y, verbose=0, callbacks=[board])
    ...     board.scalar("test/loss", 0.25, step=1)
    ...     {path.name[:20] for path in Path(scratch).iterdir()}
    {'events.out.tfevents.'}
    """

    of_one_fit = {"_files": dict, "_writer": lambda: new_writer(), "_in_fit": bool}

    flat: bool
    histograms: int
    images: Callable[[int], Mapping[str, Any]] | None
    config: dict[str, Any] | None

    def __init__(
        self,
        log_dir: str | os.PathLike[str],
        *,
        flat: bool = False,
        histograms: int = 0,
        images: Callable[[int], Mapping[str, Any]] | None = None,
        config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if isinstance(histograms, bool) or not isinstance(histograms, int) or histograms < 0:
            raise ValueError(f"`histograms` must be a number of epochs, 0 for none. Received: histograms={histograms!r}")
        if images is not None and not callable(images):
            raise ValueError(
                "`images` must be a function of the step that returns {tag: picture}; pictures that are there already are "
                f"written by `image(name, array, step)`. Received: images of type {type(images).__name__}"
            )
        check_config(config)
        event_parts()
        self.log_dir: Path = Path(log_dir).expanduser()
        self.flat = flat
        self.histograms = histograms
        self.images = images
        self.config = config
        self._epochs = EpochCounter()
        self._writer = new_writer()  # tells the files of this run from others, also after a resume
        self._files = {}
        self._lengths = {}
        self._latest = {}
        self._purge = {}
        self._waiting = []
        self._in_fit = False
        self._described = False

    # For users and for other callbacks.

    def scalar(self, name: str, value: Any, step: int, *, run: str | None = None) -> None:
        """Writes one number.

        Args:
            name: the tag; a slash makes groups.
            value: a number or a scalar tensor.
            step: an integer, epoch or training step.
            run: the directory below `log_dir`, "train" by default and none of its own with `flat`.
        """
        self._write(run, step, [scalar_value(name, _array(value, name, float))])

    def histogram(self, name: str, values: Any, step: int, *, run: str | None = None) -> None:
        """Writes the distribution of numbers (any shape) in 30 equal bins; what is not finite is left out."""
        self._write(run, step, [histogram_value(name, _array(values, name, float))], waits=False)

    def image(self, name: str, array: Any, step: int, *, run: str | None = None) -> None:
        """Writes a picture.

        Args:
            name: the tag.
            array: (H, W) or (H, W, 1 | 3 | 4), or a list of such of one size; uint8, booleans, or floats within [0, 1].
            step, run: as in `scalar`.

        Raises:
            ValueError: for other shapes or values.
        """
        pictures = array if isinstance(array, (list, tuple)) else [array]
        pictures = [as_pixels(_array(picture, name), name) for picture in pictures]
        if not pictures or len({picture.shape[:2] for picture in pictures}) > 1:
            sizes = [picture.shape[:2] for picture in pictures]
            raise ValueError(f"The pictures of one tag must have one size. Received: {name!r} with sizes {sizes}")
        self._write(run, step, [image_value(name, pictures)], waits=False)

    def text(self, name: str, text: str, step: int, *, run: str | None = None) -> None:
        """Writes a text in Markdown."""
        self._write(run, step, [text_value(name, text)])

    def close(self) -> None:
        """Ends the event files; a later value opens new ones."""
        for run, file in self._files.items():
            self._lengths[run, file.path.name] = file.length
        self._files = {}

    # What Keras calls.

    def on_train_begin(self, logs: Logs = None) -> None:
        self._in_fit = True
        self._epochs.begin_fit()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if epoch + self._epochs.offset(epoch) == 0 and not self._lengths and not self._files:
            self._purge = dict.fromkeys([".", "train", "validation"], 0)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        step = self._epochs.end(epoch) - 1
        values = scalars(logs or {})
        if "learning_rate" not in values:
            for name, rate in rates_of(training_optimizers(self.model)).items():
                values.setdefault(name, rate)
        runs = {}
        for name, value in values.items():
            run, tag = self._place(name)
            runs.setdefault(run, []).append(scalar_value(tag, value))
        for run, entries in runs.items():
            self._write(run, step, entries)
        if self.config is not None and not self._described:
            self.text("configuration", _markdown(self.config), step)
            self._described = True
        if self.histograms and step % self.histograms == 0:
            with self.sparing("writing histograms"):
                entries = [histogram_value(tag, values) for tag, values in _weights(self.model)]
                self._write(None, step, entries, waits=False)
        if self.images is not None:
            with self.sparing("writing pictures of `images`"):
                for name, picture in self.images(step).items():
                    self.image(name, picture, step)

    def on_train_end(self, logs: Logs = None) -> None:
        self._write_waiting()
        self.close()
        self._in_fit = False

    # State for a run that is resumed in another process.

    def state_dict(self) -> dict[str, Any]:
        """How far each file was written, as plain data."""
        lengths = {**self._lengths, **{(run, file.path.name): file.length for run, file in self._files.items()}}
        return {
            "epochs": self._epochs.last,
            "writer": self._writer,
            "files": [[run, name, length] for (run, name), length in lengths.items()],
            "latest": dict(self._latest),
            "described": self._described,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Cuts the files of the interrupted run to what they held when `state_dict` was called, and goes on in new ones."""
        self._files = {}
        self._epochs.load(state["epochs"])
        self._writer, self._described = state["writer"], bool(state["described"])
        self._lengths = {(run, name): int(length) for run, name, length in state["files"]}
        self._latest = {run: int(step) for run, step in state["latest"].items()}
        self._purge = {}
        self._waiting = []
        for path in self.log_dir.rglob(f"events.out.tfevents.*.kerasmith.{self._writer}"):
            run = path.parent.relative_to(self.log_dir).as_posix()
            length = self._lengths.get((run, path.name), 0)
            if length == 0:
                path.unlink()
            elif path.stat().st_size > length:
                os.truncate(path, length)
            # For a TensorBoard that runs meanwhile and has read what is cut off.
            self._purge[run] = self._latest.get(run, -1) + 1

    # Parts.

    def _place(self, name: str) -> tuple[str, str]:
        if self.flat:
            return ".", name
        if name.startswith("val_"):
            return "validation", "epoch_" + name.removeprefix("val_")
        return "train", "epoch_" + name

    def _write(self, run: str | None, step: int, values: Any, waits: bool = True) -> None:
        """Writes values of a step. In `fit`, those that the disk does not take are written with the next if they may wait."""
        if isinstance(step, bool) or int(step) != step or step < 0:
            raise ValueError(f"`step` must be a whole number >= 0. Received: step={step!r}")
        run = Path(run or ("." if self.flat else "train")).as_posix()
        if not self._in_fit:
            self._append(run, int(step), values)
            return
        self._waiting.append((run, int(step), values))
        if not self._write_waiting() and not waits:
            self._waiting.pop()

    def _write_waiting(self) -> bool:
        """Writes what waits, in its order; whether nothing waits any more."""
        with self.sparing(f"writing events to {self.log_dir}", everything=False):
            while self._waiting:
                self._append(*self._waiting[0])
                del self._waiting[0]
        return not self._waiting

    def _append(self, run: str, step: int, values: Any) -> None:
        self._file(run).write(values, step)
        self._latest[run] = max(self._latest.get(run, 0), step)

    def _file(self, run: str) -> EventFile:
        file = self._files.get(run)
        # A file that somebody has removed would go on without its head.
        if file is None or not file.path.exists():
            file = self._files[run] = EventFile(self.log_dir / run, self._writer, self._purge_step(run))
            self._purge.pop(run, None)
        return file

    def _purge_step(self, run: str | None) -> int | None:
        step, directory = self._purge.get(run), self.log_dir / run
        return step if directory.is_dir() and any(directory.glob("events.out.tfevents.*")) else None


def new_writer() -> str:
    """What tells the files of one run from those of others."""
    return os.urandom(4).hex()


def _array(value: Any, name: str, dtype: Any = None) -> np.ndarray:
    array = keras.ops.convert_to_numpy(value) if keras.ops.is_tensor(value) else np.asarray(value)
    try:
        return array if dtype is None else np.asarray(array, dtype)
    except (TypeError, ValueError):
        raise ValueError(f"{name!r} needs numbers. Received: {value!r}") from None


def _weights(model: keras.Model) -> Iterator[tuple[str, np.ndarray]]:
    """(tag, array) of each weight, tags without doubles."""
    counts = {}
    for weight in model.weights:
        if "float" not in keras.backend.standardize_dtype(weight.dtype):
            continue
        counts[weight.path] = counts.get(weight.path, 0) + 1
        tag = weight.path if counts[weight.path] == 1 else f"{weight.path}_{counts[weight.path]}"
        yield tag, keras.ops.convert_to_numpy(keras.ops.cast(weight.value, "float32"))


def _markdown(config: dict[str, Any] | None) -> str:
    rows = [f"| {name} | {str(flat_text(value)).replace('|', '/')} |" for name, value in config.items()]
    return "\n".join(["| setting | value |", "| --- | --- |", *rows])
