"""What each demo does besides its own subject: a directory in which it goes on, a report, a history, a table at the end."""

import os
import pathlib
import time
from collections.abc import Sequence
from typing import Any

import keras
from rich.console import Console

from kerasmith import callbacks
from kerasmith.recipes.figures import Figure, terminal_table
from kerasmith.recipes.unfinished_run import UnfinishedRun, show


class DemoRun:
    """One run of a demo in its directory: begun, gone on with, or begun anew.

    Args:
        out: the run directory.
        recipe: name of the demo.
        title: the heading of the report.
        config: {name: value} of what the run is made with; it goes on with the same only.
        overwrite: replace an earlier run in `out`.
        console: a `rich.console.Console`.

    Attributes:
        report: the `callbacks.RunReport`, to add sections to.
        console: where the run speaks.

    Raises:
        ImportError: without the package of the event files; nothing is written.
        ValueError: when `out` cannot be written, or holds a complete run and `overwrite` is False; before training.
    """

    def __init__(
        self,
        out: str | os.PathLike[str],
        *,
        recipe: str,
        title: str,
        config: dict[str, Any],
        overwrite: bool = False,
        console: Console | None = None,
    ) -> None:
        self._start = time.perf_counter()
        self._recipe = recipe
        self.console: Console = console or Console()
        # The event files first: if their package is missing, no directory is made.
        self._events = callbacks.TensorBoard(out, flat=True)
        self._unfinished = UnfinishedRun(out, config)
        keep = self._unfinished.exists and not overwrite
        self.report: callbacks.RunReport = callbacks.RunReport(out, overwrite=overwrite, keep=keep, title=title, config=config)
        if overwrite:
            self._unfinished.remove()

    @property
    def checkpoints(self) -> pathlib.Path:
        """The directory of what an interrupted run goes on from; removed when all results are written."""
        return self._unfinished.directory

    def watchers(self) -> list[keras.callbacks.Callback]:
        """The callbacks of the training that the report is about."""
        return [*self.side_watchers(None), self.report, self._events]

    def side_watchers(self, name: str | None) -> list[keras.callbacks.Callback]:
        """The callbacks of a training for comparison: it goes on where it stopped, and is shown; no file is left of it.

        Args:
            name: of this training; checkpoints of several are kept apart by it.
        """
        return [self._unfinished.resume(self.console, name), callbacks.LiveProgress(self.console)]

    def finish(self, figures: Sequence[Figure], *, title: str, simple: str, **summary: Any) -> dict[str, Any]:
        """Writes all results, removes the checkpoints and prints the table of figures.

        Args:
            figures: what was reached beside what is to beat.
            title: of the table.
            simple: the name of the simple method.
            **summary: what goes into `summary.json`.

        Returns:
            The summary, with `seconds` since this process began the run.
        """
        summary["seconds"] = round(time.perf_counter() - self._start, 1)
        self.report.add_summary(recipe=self._recipe, of=title, **summary)
        self._unfinished.finish(self.report.write)
        rows = [*figures, Figure("seconds in all", f"{summary['seconds']:.0f}")]
        show(self.console, terminal_table(rows, title=title, simple=simple))
        show(self.console, f"report: {self.report.directory / 'report.html'}")
        return summary


def epochs_or(epochs: int | None, default: int) -> int:
    """The number of epochs that was asked for, checked; `default` without one.

    Raises:
        ValueError: for anything but a whole number of at least 1.
    """
    if epochs is None:
        return default
    if isinstance(epochs, bool) or int(epochs) != epochs or epochs < 1:
        raise ValueError(f"`epochs` must be a whole number >= 1. Received: epochs={epochs}")
    return int(epochs)
