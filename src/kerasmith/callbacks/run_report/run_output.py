"""What the files of a run report have in common."""

import pathlib
from typing import Any

from kerasmith import _types
from kerasmith._types import Logs
from kerasmith.callbacks.copies import no_model
from kerasmith.callbacks.own_place import OwnPlace
from kerasmith.callbacks.run_report.recorded import Recorded
from kerasmith.callbacks.run_report.run_record import RunRecord


class RunOutput(Recorded):
    """Base of callbacks that write what a `RunRecord` knows: alone in `fit` with a record of their own, or as outputs of one.

    A subclass implements `after_epoch` and `after_training`, and `reload` if its file has to follow a state that was loaded.
    Alone, it writes to the first of `<name>`, `<name>-2`, ... that no other training writes to.

    Args:
        path: the file; its directory must exist.
        record: a `RunRecord` that another callback keeps up to date; None for one of its own.
    """

    of_one_fit = {"_place": no_model}

    def __init__(self, path: _types.Path, record: RunRecord | None = None):
        super().__init__(record)
        self.path: pathlib.Path = in_a_directory(path)
        self._place: OwnPlace | None = None

    def after_epoch(self) -> None:
        """The record has the epoch that has just ended."""

    def after_training(self) -> None:
        """The record is complete."""

    def reload(self) -> None:
        """The record has gone back to a state that was loaded."""

    def move_to(self, path: pathlib.Path) -> None:
        """Writes to another file from now on."""
        self.path = path

    def on_train_begin(self, logs: Logs = None) -> None:
        self._hooks.on_train_begin(logs)
        if self._hooks is self.record:
            with self.sparing(f"locking {self.path}", everything=False):
                self._place = OwnPlace(self.path, type(self).__name__)
                if self._place.take():
                    self.move_to(self._place.path)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._hooks.on_epoch_end(epoch, logs)
        self.after_epoch()

    def on_train_end(self, logs: Logs = None) -> None:
        self._hooks.on_train_end(logs)
        self.after_training()
        if self._place is not None:
            self._place.release()

    def state_dict(self) -> dict[str, Any]:
        """The history and the clock, as plain data; nothing where another callback keeps the record."""
        return self.record.state_dict() if self._hooks is self.record else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues from what `state_dict` returned; files are written again."""
        if self._hooks is self.record:
            self.record.load_state_dict(state)
        self.reload()


def in_a_directory(path: _types.Path) -> pathlib.Path:
    """The path of a file whose directory is there, as a `pathlib.Path`.

    Raises:
        ValueError: if it is not.
    """
    path = pathlib.Path(path).expanduser()
    if path.is_dir() or not path.parent.is_dir():
        raise ValueError(f"Expected the path of a file in a directory that exists. Received: {str(path)!r}")
    return path
