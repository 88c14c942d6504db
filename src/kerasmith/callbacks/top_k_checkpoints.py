"""Keeps the models of the best epochs."""

import contextlib
import json
import math
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import keras

from kerasmith._types import Logs
from kerasmith.base.arguments import check_integer
from kerasmith.callbacks.epoch_counter import EpochCounter
from kerasmith.callbacks.monitored import Monitored
from kerasmith.callbacks.weight_averaging import WeightAveraging
from kerasmith.files.atomic_write import write_atomically
from kerasmith.files.messages import warn
from kerasmith.files.plain_data import json_text
from kerasmith.files.writable_directory import writable_directory
from kerasmith.keras_internals import fit_call

INDEX = "index.json"


class TopKCheckpoints(keras.callbacks.Callback):
    """Saves the model after an epoch that is among the best k so far, and removes the file of the one that no longer is.

    A file is written under another name and then renamed: it is whole or not there, also after a kill. `index.json` beside the
    files lists them, the best first. Only files that this callback has written are ever removed or replaced. A value that is
    not finite is never kept; of equal values the earlier epoch is the better one. A full disk warns, and training goes on.

    A directory that has an index already is gone on with: its files compete with the new ones. Epochs of a second `fit` are
    counted on. Where `WeightAveraging` validates the averaged weights and the monitored value is theirs, they are what is
    saved.

    Args:
        directory: for the files; created and checked at once.
        monitor: a column of the history.
        k: how many models to keep.
        mode: "max", "min", or "auto": the direction of the metric.
        every: look at each such epoch only.
        save_weights_only: weights without the architecture and the optimizer.
        filename: with the fields `epoch` (from 1), `value` and those of the logs; must end in ".keras", or in ".weights.h5"
            for weights only.

    Attributes:
        entries: list of {"file", "epoch", "value"}, the best first.

    Raises:
        ValueError: if the directory cannot be written or has the files of another monitor, or for a file name of another kind;
            when training begins, if the direction is unknown; after an epoch, if `monitor` is not logged.

    Example:

    >>> import tempfile
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x, y = keras.ops.ones((4, 2)), keras.ops.ones((4, 1))
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     best = TopKCheckpoints(directory, monitor="loss", k=2, filename="{epoch}.keras")
    ...     _ = model.fit(x, y, epochs=4, verbose=0, callbacks=[best])
    ...     best.best_path.name, sorted(path.name for path in best.directory.iterdir())
    ('4.keras', ['3.keras', '4.keras', 'index.json'])
    """

    monitor: str
    k: int
    every: int
    filename: str | None

    kerasmith_contract: dict[str, object] = {"continues": True}

    def __init__(
        self,
        directory: str | os.PathLike[str],
        monitor: str = "val_loss",
        k: int = 3,
        mode: str = "auto",
        *,
        every: int = 1,
        save_weights_only: bool = False,
        filename: str | None = None,
    ) -> None:
        super().__init__()
        self._monitored = Monitored(monitor, mode, type(self).__name__)
        check_integer("k", k, minimum=1)
        check_integer("every", every, minimum=1)
        suffix = ".weights.h5" if save_weights_only else ".keras"
        filename = "{epoch:03d}-{value:.4f}" + suffix if filename is None else filename
        if not isinstance(filename, str) or not filename.endswith(suffix) or Path(filename).name != filename:
            raise ValueError(
                f'`filename` must be a name that ends in "{suffix}" with save_weights_only={bool(save_weights_only)}, such as '
                f'"{{epoch:03d}}-{{value:.4f}}{suffix}". Received: filename={filename!r}'
            )
        self.monitor = monitor
        self.k = k
        self.every = every
        self.save_weights_only: bool = bool(save_weights_only)
        self.filename = filename
        self._suffix = suffix
        self.directory: Path = writable_directory(directory)
        self.entries: list[dict[str, Any]] = []
        # Files of epochs that a resumed run is going to train again: they stay until then.
        self._ahead = []
        self._epochs = EpochCounter()
        self._read_index()

    @property
    def best_path(self) -> Path | None:
        """The file of the best epoch, a `pathlib.Path`, or None."""
        paths = (self.directory / entry["file"] for entry in self.entries)
        return next((path for path in paths if path.exists()), None)

    def load_best(self, model: keras.Model | None = None) -> keras.Model:
        """Loads the best weights into `model`; without a model, returns the one that was saved.

        Raises:
            ValueError: if nothing was kept yet, or if only weights were and there is no `model`.
        """
        path = self.best_path
        if path is None:
            raise ValueError(f"No epoch has been kept in {self.directory} yet.")
        if model is not None:
            model.load_weights(path)
            return model
        if self.save_weights_only:
            raise ValueError(f"{path.name} has weights only. Write `load_best(model)`.")
        return keras.saving.load_model(path)

    # What Keras calls.

    def on_train_begin(self, logs: Logs = None) -> None:
        self._monitored.settle(self.model)
        self._epochs.begin_fit()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epochs.offset(epoch)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        number = self._epochs.end(epoch)
        if number % self.every == 0:
            value = self._monitored.read(logs)
            if value is not None and math.isfinite(value):
                self._save_if_wanted(number, value, logs)
        passed = [entry for entry in self._ahead if entry["epoch"] <= number]
        if passed:
            self._ahead = [entry for entry in self._ahead if entry["epoch"] > number]
            self._remove(passed)

    # State for a run that is resumed in another process.

    def state_dict(self) -> dict[str, Any]:
        """What is kept, and the number of the latest epoch."""
        return {"entries": [dict(entry) for entry in self.entries], "epoch": self._epochs.last}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from what `state_dict` returned; files of later epochs stay until these are trained again."""
        known = {entry["file"]: entry for entry in [*self._ahead, *self.entries]}
        self.entries = [dict(entry) for entry in state["entries"]]
        current = {entry["file"] for entry in self.entries}
        self._ahead = [entry for name, entry in known.items() if name not in current and entry["epoch"] > state["epoch"]]
        self._epochs.load(state["epoch"])

    # Parts.

    def _save_if_wanted(self, number: int, value: float, logs: Logs) -> None:
        name = self._free_name(self.filename.format(**{**logs, "epoch": number, "value": value}), number, value)
        # An epoch that is trained again after a kill writes its file again.
        others = [entry for entry in self.entries if entry["file"] != name]
        position = next((i for i, one in enumerate(others) if self._monitored.is_better(value, one["value"])), len(others))
        if position < self.k and self._save(name):
            others.insert(position, {"file": name, "epoch": number, "value": value})
            self.entries = others[: self.k]
            self._ahead = [one for one in self._ahead if one["file"] != name]
            self._remove(others[self.k :])

    def _free_name(self, wanted: str, number: int, value: float) -> str:
        """A name that is neither that of another kept epoch nor of a file that is not ours."""
        name, count = wanted, 1
        while True:
            own = next((entry for entry in self.entries if entry["file"] == name), None)
            if own is not None and (own["epoch"], own["value"]) == (number, value):
                return name
            again = any(entry["file"] == name for entry in self._ahead)
            if own is None and (again or not (self.directory / name).exists()):
                return name
            count += 1
            name = f"{wanted[: -len(self._suffix)]}-{count}{self._suffix}"

    def _save(self, name: str) -> None:
        path = self.directory / name
        draft = self.directory / _draft(name)
        self._write_index(writing=name)
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with self._weights_that_were_measured():
                (self.model.save_weights if self.save_weights_only else self.model.save)(draft)
            with open(draft, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(draft, path)
        except Exception as problem:
            _remove_file(draft)
            if not _is_of_the_disk(problem):
                raise
            what = getattr(problem, "strerror", None) or problem
            warn(
                f"TopKCheckpoints could not write {path} ({what}). Training goes on; the files that are there stay.",
                stacklevel=3,
            )
            return False
        return True

    def _remove(self, entries: Iterable[dict[str, Any]]) -> None:
        """Writes the index, then removes the files of entries that are not in it any more."""
        listed = {entry["file"] for entry in [*self.entries, *self._ahead]}
        gone = [entry["file"] for entry in entries if entry["file"] not in listed]
        self._write_index(removing=gone)
        for name in gone:
            _remove_file(self.directory / name)

    def _weights_that_were_measured(self) -> AbstractContextManager[Any]:
        """The averaged weights if the monitored value is theirs."""
        fit = fit_call.find()
        if fit is not None and self.monitor.startswith("val_"):
            for callback in fit.callbacks.callbacks:
                if isinstance(callback, WeightAveraging) and callback.validates:
                    return callback.averaged()
        return contextlib.nullcontext()

    def _read_index(self) -> None:
        path = self.directory / INDEX
        if not path.exists():
            return
        try:
            index = json.loads(path.read_text(encoding="utf-8"))
            found = (index["monitor"], index["entries"], index["ahead"], index["writing"], index["removing"])
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"{path} is not an index of TopKCheckpoints. Choose another directory.") from None
        if found[0] != self.monitor:
            raise ValueError(
                f"{self.directory} keeps the best epochs by {found[0]!r}. Choose another directory for {self.monitor!r}."
            )
        _, self.entries, self._ahead, writing, removing = found
        if writing is not None or removing:
            # Killed while it wrote: there is a draft, or a file that had just been renamed. Or killed while it removed.
            half = [] if writing is None else [writing, _draft(writing)]
            self._remove([{"file": name} for name in [*half, *removing]])
            self._write_index()

    def _write_index(self, writing: str | None = None, removing: Iterable[str] = ()) -> None:
        state = {"monitor": self.monitor, "entries": self.entries, "ahead": self._ahead}
        index = {**state, "writing": writing, "removing": list(removing)}
        try:
            write_atomically(self.directory / INDEX, json_text(index), make_directory=True)
        except OSError as problem:
            warn(f"TopKCheckpoints could not write {self.directory / INDEX}: {problem.strerror or problem}", stacklevel=4)


def _is_of_the_disk(problem: BaseException | None) -> bool:
    """Whether the disk is at fault; HDF5 and ZIP files have exceptions of their own for it."""
    while problem is not None:
        if isinstance(problem, OSError) or "errno" in str(problem):
            return True
        problem = problem.__context__
    return False


def _remove_file(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as problem:
        warn(f"TopKCheckpoints could not remove {path} ({problem.strerror or problem}). Training goes on.", stacklevel=4)


def _draft(name: str) -> str:
    # Keras wants its own endings.
    stem, suffix = (name[: -len(end)], end) if name.endswith(end := ".weights.h5") else (name[: -len(".keras")], ".keras")
    return f".{stem}.draft{suffix}"
