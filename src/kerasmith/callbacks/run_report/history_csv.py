"""The history of a run as a table in a file."""

from datetime import datetime
from pathlib import Path
from typing import Any

from kerasmith import _types
from kerasmith.callbacks.run_report.run_directory import set_aside
from kerasmith.callbacks.run_report.run_output import RunOutput
from kerasmith.callbacks.run_report.run_record import RunRecord
from kerasmith.files.history_file import HistoryFile
from kerasmith.files.messages import warn


class HistoryCSV(RunOutput):
    """A CSV file with a row for each epoch: `epoch`, the logs, `learning_rate`; readable at any time, also of a killed run.

    Unlike `keras.callbacks.CSVLogger` it takes columns that appear later (`validation_freq`), writes the learning rate of the
    last step of the epoch, continues over several calls of `fit`, and never deletes a file: one that is there when a new
    history begins is renamed to `<name>.bak` (`.bak2`, ...), and where another training writes to it meanwhile, this one goes
    on in `<name>-2`. After a resume the file holds the rows up to the checkpoint.

    Args:
        path: the file; its directory must exist.
        record: see `RunOutput`.

    Raises:
        ValueError: if the directory does not exist.

    Example:

    >>> import keras, tempfile
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile(keras.optimizers.SGD(0.5), "mse")
    >>> x, y = keras.ops.ones((4, 2)), keras.ops.ones((4, 1))
    >>> with tempfile.TemporaryDirectory() as scratch:
    ...     history = HistoryCSV(scratch + "/history.csv")
    ...     _ = model.fit(x, y, epochs=2, verbose=0, callbacks=[history])
    ...     history.path.read_text().splitlines()[0]
    'epoch,loss,learning_rate'
    """

    kerasmith_contract: dict[str, object] = {"continues": True}
    of_one_fit = {"_is_mine": bool}  # a copy begins a file of its own

    def __init__(self, path: _types.Path, *, record: RunRecord | None = None):
        super().__init__(path, record)
        self._file = HistoryFile(self.path)
        self._is_mine = False

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One dict for each epoch: `epoch`, the logs, `learning_rate`."""
        return [dict(row) for row in self.record.rows]

    def after_epoch(self) -> None:
        with self.sparing(f"writing {self.path}"):
            if not self._is_mine:
                set_aside(self.path)
                self._is_mine = True
            if self._file.is_taken():
                self._go_to_another_file()
            # Several, if the file of an earlier run could not be renamed at first.
            for row in self.record.rows[len(self._file.rows) :]:
                self._file.append(row)

    def is_of_this_run(self) -> bool:
        """Whether the file is not there, or of the run that the record knows: no checkpoint writes over another history."""
        if self._is_mine or self.record.rows:
            return self._is_mine or self._file.belongs_to(self.record.rows)
        # A run in its first epoch has written nothing that is older than its beginning.
        started = self.record.started
        try:
            return started is None or self.path.stat().st_mtime >= datetime.fromisoformat(started).timestamp()
        except OSError:
            return True

    def after_training(self) -> None:
        if self.record.rows:
            self.after_epoch()
            with self.sparing(f"writing {self.path}"):
                self._file.catch_up()

    def move_to(self, path: Path) -> None:
        super().move_to(path)
        self._file, self._is_mine = HistoryFile(path), False

    def _go_to_another_file(self) -> None:
        """Another training writes to the file: rows of two would be one history that nobody has seen."""
        taken, number = self.path, 2
        while self.path.exists():
            self.path = taken.with_name(f"{taken.stem}-{number}{taken.suffix}")
            number += 1
        rows, self._file = self._file.rows, HistoryFile(self.path)
        self._file.replace(rows)
        warn(f"HistoryCSV: somebody else writes to {taken}, perhaps another training. This one goes on in {self.path}.")

    def reload(self) -> None:
        with self.sparing(f"writing {self.path}", everything=False):
            if not self.is_of_this_run():
                set_aside(self.path)
            self._is_mine = True
            self._file.replace(self.record.rows)
