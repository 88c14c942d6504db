"""Writes the run directory: history, model, summary and a report to look at."""

import os
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from kerasmith._types import Config, Logs, Path
from kerasmith.base.arguments import check_config
from kerasmith.callbacks.copies import no_model
from kerasmith.callbacks.own_place import OwnDirectory
from kerasmith.callbacks.run_report import run_directory
from kerasmith.callbacks.run_report.history_csv import HistoryCSV
from kerasmith.callbacks.run_report.recorded import Recorded
from kerasmith.callbacks.run_report.report_page import ReportPage
from kerasmith.callbacks.run_report.summary_file import SummaryFile
from kerasmith.files.atomic_write import put_in_place
from kerasmith.files.messages import warn
from kerasmith.report._image_grid import OVERLAY_LEGEND
from kerasmith.report.case_pictures import CasePicture, stored_pictures
from kerasmith.report.run_data import write_cases


class RunReport(Recorded):
    """Makes a training run visible: `report.html`, `history.csv`, `model.keras` and `summary.json` in one directory.

    `history.csv` grows by a row with each epoch and is readable after each, also when the run is killed; the report is
    refreshed every ten seconds at most. When the training ends, the model and the summary are written. Each file is
    replaced in one step. `report.json` is what the page is made of: `kerasmith report DIR` makes it again. A second `fit` with
    the same object continues the history. Each file is also a callback of its own: `HistoryCSV`, `SummaryFile`, `ReportPage`.

    With `keep=True` a script can be run again after it was killed: beside `callbacks.Resume` the history goes on where the
    checkpoint stands. If nothing is resumed and training begins anew, the four files of the earlier run are renamed to
    `<name>.bak` (`.bak2`, ...) when the first epoch has ended. While another training writes its report to the directory, this
    one says so and writes to `<directory>-2`; `report.directory` is where it writes.

    Args:
        directory: the run directory; created and checked at once.
        overwrite: remove the files of an earlier run; see `run_directory.prepare`.
        keep: take a directory that holds files, and remove none of them.
        title: the heading of the report, the directory's name by default.
        config: {name: value}, what the run was made with; shown and saved. A `seed` is repeated in the environment.

    Raises:
        ValueError: if the directory cannot be written, or holds files and neither `overwrite` nor `keep` is True, or both are;
            with `overwrite`, if another training writes its report there.

    Example:

    >>> import keras, tempfile
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x, y = keras.ops.ones((4, 2)), keras.ops.ones((4, 1))
    >>> with tempfile.TemporaryDirectory() as scratch:
    ...     report = RunReport(scratch, config={"seed": 7})
    ...     _ = model.fit(x, y, epochs=2, verbose=0, callbacks=[report])
    ...     sorted(path.name for path in report.directory.iterdir())
    ['history.csv', 'model.keras', 'report.html', 'report.json', 'summary.json']
    """

    kerasmith_contract: dict[str, object] = {"continues": True}
    of_one_fit = {"_is_mine": bool, "_place": no_model}  # a copy begins files of its own

    def __init__(
        self,
        directory: Path,
        *,
        overwrite: bool = False,
        keep: bool = False,
        title: str | None = None,
        config: Config | None = None,
    ):
        super().__init__()
        check_config(config)
        self.directory: pathlib.Path = run_directory.prepare(directory, overwrite=overwrite, keep=keep)
        title = title or self.directory.resolve().name
        self._history = HistoryCSV(self.directory / run_directory.HISTORY, record=self.record)
        self._summary = SummaryFile(self.directory / run_directory.SUMMARY, title=title, config=config, record=self.record)
        self._page = ReportPage(self.directory / run_directory.REPORT, title=title, config=config, record=self.record)
        self._page.tiles = self._summary.added
        self._page.data_path = self.directory / run_directory.DATA
        self._outputs = (self._history, self._summary, self._page)
        self._is_mine = False
        self._place: OwnDirectory | None = None

    @property
    def title(self) -> str:
        """The heading of the report."""
        return self._page.title

    @property
    def config(self) -> Config:
        """What the run was made with."""
        return self._summary.config

    @property
    def status(self) -> str:
        """See `RunRecord`."""
        return self.record.status

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One dict for each epoch: `epoch`, the logs, `learning_rate`."""
        return self._history.rows

    def add_section(self, title: str, html: str) -> None:
        """Adds a section to the report, or replaces the one with this title. `html` goes in as it is."""
        self._page.add_section(title, html)

    def add_summary(self, **values: Any) -> None:
        """Adds values to `summary.json`; numbers are also tiles on top of the report. They win over values of the run."""
        self._summary.add_summary(**values)

    def add_cases(self, cases: Iterable[Mapping[str, Any]]) -> None:
        """Writes `cases.csv`: what each held-out case came to, for runs to be compared case by case (since 0.2).

        Args:
            cases: one dict for each, with `case`, its name, and numbers by the name of their metric; `digest`, a text that is
                another one for other data.
        """
        write_cases(self.directory / run_directory.CASES, cases)

    def add_case_pictures(
        self, pictures: Iterable[CasePicture], legend: Mapping[str, tuple[int, int, int] | np.ndarray] | None = None
    ) -> None:
        """Shows the worst and the best held-out cases, here and where runs are compared (since 0.2).

        Args:
            pictures: a `report.CasePicture` of each case that is worth one.
            legend: as `report.image_grid` takes it; by default what `report.overlay` draws. {} for none.
        """
        self._page.case_pictures = stored_pictures(pictures, OVERLAY_LEGEND if legend is None else legend)

    def add_event(self, text: str, *, epoch: int | None = None, kind: str = "note", by: str = "you") -> None:
        """Notes what happened, for the page, its curves and `summary.json` (since 0.2).

        Args:
            text: a sentence.
            epoch: number of the epoch, from 1; None for the one that runs.
            kind: one of `files.run_events.KINDS`.
            by: what did it.
        """
        self.record.note(kind, text, by=by, epoch=None if epoch is None else epoch - 1)

    def summary(self) -> dict[str, Any]:
        """What `summary.json` holds."""
        return self._summary.summary()

    def write(self) -> None:
        """Writes `summary.json` and `report.html` again, with what was added since."""
        # The summary last: who finds it takes the run for complete, which it is not where a full disk refused the page.
        self._page.write()
        self._summary.write()

    # What Keras calls.

    def on_train_begin(self, logs: Logs = None) -> None:
        self.record.on_train_begin(logs)
        with self.sparing(f"locking {self.directory}", everything=False):
            self._place = OwnDirectory(self.directory, type(self).__name__, run_directory.REPORT)
            if self._place.take():
                self._move_to(self._place.path)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        # Before anything may fail: the history is complete, whatever can be written of it now.
        self.record.on_epoch_end(epoch, logs)
        if self._take_directory():
            for output in self._outputs:
                output.after_epoch()

    def on_train_end(self, logs: Logs = None) -> None:
        with self.sparing("reading the model"):
            self.record.on_train_end(logs)
        if self._take_directory():
            self._save_model()
            for output in self._outputs:
                output.after_training()
        if self._place is not None:
            self._place.release()

    # State for a run that is resumed in another process.

    def state_dict(self) -> dict[str, Any]:
        """The history and the clock, as plain data."""
        return self.record.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues from what `state_dict` returned; `history.csv` is written again."""
        self.record.load_state_dict(state)
        self._is_mine = self._is_mine or self._history.is_of_this_run()
        if not self._take_directory():
            return
        for output in self._outputs:
            output.reload()

    # Steps.

    def _take_directory(self) -> bool:
        """Renames the files of an earlier run, before the first of this one that is no continuation of it.

        Returns:
            Whether the directory can be written: no file of an earlier run is lost because it could not be renamed.
        """
        if not self._is_mine:
            with self.sparing(f"renaming the files of an earlier run in {self.directory}"):
                for name in run_directory.NAMES:
                    run_directory.set_aside(self.directory / name)
                self._is_mine = True
        return self._is_mine

    def _move_to(self, directory: pathlib.Path) -> None:
        self.directory, self._is_mine = directory, True
        for output in self._outputs:
            output.move_to(directory / output.path.name)

    def _save_model(self) -> None:
        path = self.directory / run_directory.MODEL
        draft = path.with_name(f".{path.name}.{os.getpid()}.tmp.keras")
        self._page.remarks.pop(path.name, None)
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with put_in_place(path, draft):
                self.model.save(draft)
        except Exception as problem:  # whatever a user's layers raise, the run's other results must survive
            message = f"{type(problem).__name__}: {problem}"
            self._page.remarks[path.name] = f"not saved. {message}"
            warn(f"RunReport could not save the model. {message}", stacklevel=2)
