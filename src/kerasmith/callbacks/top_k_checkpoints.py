"""Keeps the models of the best epochs."""

import contextlib
import math
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import keras

from kerasmith._types import Logs
from kerasmith.base.arguments import check_integer
from kerasmith.callbacks import training_data
from kerasmith.callbacks.copies import Copyable, CopyNumber
from kerasmith.callbacks.epoch_counter import EpochCounter
from kerasmith.callbacks.monitored import Monitored
from kerasmith.callbacks.top_k_index import TopKIndex, draft_name
from kerasmith.callbacks.weight_averaging import WeightAveraging
from kerasmith.files.messages import warn
from kerasmith.files.writable_directory import writable_directory
from kerasmith.keras_internals import fit_call


class TopKCheckpoints(Copyable, keras.callbacks.Callback):
    """Saves the model after an epoch that is among the best k so far, and removes the file of the one that no longer is.

    A file is written under another name and then renamed: it is whole or not there, also after a kill. `index.json` beside the
    files lists them, the best first. Only files that this callback has written are ever removed or replaced. A value that is
    not finite is never kept; of equal values the earlier epoch is the better one. A full disk warns, and training goes on.

    A directory that has an index already is gone on with: its files compete with the new ones, also those of other runs and of
    copies of this callback, such as KerasTuner makes for each trial, that write there meanwhile. Epochs of a second `fit` are
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
    processes: str = "first"

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
        self._copy = CopyNumber()
        self._samples = None
        self._index = TopKIndex(self.directory, monitor)
        self._epochs = EpochCounter()
        self._finish_what_was_cut_off()

    @property
    def entries(self) -> list[dict[str, Any]]:
        """List of {"file", "epoch", "value"}, the best first; those of copies that write to the same directory too."""
        self._index.read()
        return self._index.entries

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
        fit = fit_call.find()
        self._samples = {} if fit is None else training_data.fingerprint(fit)
        if self.entries and training_data.differences(self._index.samples, self._samples):
            warn(
                f"TopKCheckpoints: the models in {self.directory} are of a training on other samples (another fold or data "
                "set). They compete with those of this one, and the best may be one of them. Give each training a directory "
                "of its own.",
                stacklevel=3,
            )

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epochs.offset(epoch)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        number = self._epochs.end(epoch)
        value = self._monitored.read(logs) if number % self.every == 0 else None
        index = self._index
        if value is not None and math.isfinite(value):
            with index.alone():
                self._save_if_wanted(number, value, logs)
        if any(self._is_passed(entry, number) for entry in index.ahead):
            with index.alone():
                passed = [entry for entry in index.ahead if self._is_passed(entry, number)]
                index.ahead = [entry for entry in index.ahead if entry not in passed]
                self._remove([entry["file"] for entry in passed])

    def _is_passed(self, entry: dict[str, Any], number: int) -> bool:
        return entry["epoch"] <= number and self._is_mine(entry["file"])

    # State for a run that is resumed in another process.

    def state_dict(self) -> dict[str, Any]:
        """What is kept, the number of the latest epoch, and who has written the files."""
        entries = [dict(entry) for entry in self.entries]
        return {"entries": entries, "epoch": self._epochs.last, "writer": str(self._copy)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from what `state_dict` returned; files of later epochs stay until these are trained again."""
        index = self._index
        with index.alone():
            before = str(self._copy)
            self._copy = CopyNumber.of(state.get("writer", before))
            known = {entry["file"]: entry for entry in [*index.ahead, *index.entries]}
            entries = [dict(entry) for entry in state["entries"] if self._is_mine(entry["file"])]
            for entry in index.entries:  # what others have written in the meantime
                if not self._is_mine(entry["file"]):
                    entries.insert(self._position(entry["value"], entries), entry)
            current = {entry["file"] for entry in entries}
            ahead = [entry for name, entry in known.items() if name not in current]
            others = [entry for entry in index.ahead if not self._is_mine(entry["file"])]
            index.entries = entries
            index.ahead = [*others, *(e for e in ahead if self._is_mine(e["file"]) and e["epoch"] > state["epoch"])]
            if known:
                index.write()
        self._epochs.load(state["epoch"])

    # Parts.

    def _save_if_wanted(self, number: int, value: float, logs: Logs) -> None:
        index = self._index
        name = self._free_name(self.filename.format(**{**logs, "epoch": number, "value": value}), number, value)
        # An epoch that is trained again after a kill writes its file again.
        others = [entry for entry in index.entries if entry["file"] != name]
        position = self._position(value, others)
        if position < self.k and self._save(name):
            others.insert(position, {"file": name, "epoch": number, "value": value})
            index.entries = others[: self.k]
            index.ahead = [one for one in index.ahead if one["file"] != name]
            self._remove([entry["file"] for entry in others[self.k :]])

    def _position(self, value: float, entries: list[dict[str, Any]]) -> int:
        found = (i for i, one in enumerate(entries) if self._monitored.is_better(value, one["value"]))
        return next(found, len(entries))

    def _is_mine(self, name: str) -> bool:
        """Whether it is no file of a copy of this callback, which would never write it again."""
        return self._index.writers.get(name, str(self._copy)) == str(self._copy)

    def _free_name(self, wanted: str, number: int, value: float) -> str:
        """A name that is neither that of another kept epoch nor of a file that is not ours."""
        name, count = wanted, 1
        while True:
            own = next((entry for entry in self._index.entries if entry["file"] == name), None)
            of_a_copy = self._copy.is_sibling(self._index.writers.get(name))
            if own is not None and (own["epoch"], own["value"]) == (number, value) and not of_a_copy:
                return name
            again = any(entry["file"] == name for entry in self._index.ahead) and not of_a_copy
            if own is None and (again or not (self.directory / name).exists()):
                return name
            count += 1
            name = f"{wanted[: -len(self._suffix)]}-{count}{self._suffix}"

    def _save(self, name: str) -> None:
        path = self.directory / name
        draft = self.directory / draft_name(name)
        self._index.writers[name], self._index.samples = str(self._copy), self._samples
        self._index.write(writing=name)
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

    def _remove(self, names: Iterable[str]) -> None:
        """Writes the index, then removes those files that are not in it any more."""
        listed = {entry["file"] for entry in [*self._index.entries, *self._index.ahead]}
        gone = [name for name in names if name not in listed]
        self._index.write(removing=gone)
        for name in gone:
            _remove_file(self.directory / name)

    def _finish_what_was_cut_off(self) -> None:
        with self._index.alone():
            if self._index.half_done():
                self._remove(self._index.half_done())
                self._index.write()

    def _weights_that_were_measured(self) -> AbstractContextManager[Any]:
        """The averaged weights if the monitored value is theirs."""
        fit = fit_call.find()
        if fit is not None and self.monitor.startswith("val_"):
            for callback in fit.callbacks.callbacks:
                if isinstance(callback, WeightAveraging) and callback.validates:
                    return callback.averaged()
        return contextlib.nullcontext()


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
