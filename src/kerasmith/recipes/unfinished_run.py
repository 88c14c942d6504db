"""A run directory in which an interrupted recipe goes on."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

from kerasmith.callbacks import Resume
from kerasmith.callbacks.printable_renderable import PrintableRenderable
from kerasmith.checkpoints.directory import progress
from kerasmith.files.messages import warn


class UnfinishedRun:
    """The checkpoints of a run: there from its beginning until all its results are written.

    Args:
        out: the run directory.
        config: {name: value}; a run goes on with the same only.

    Attributes:
        exists: whether an earlier run of this directory was interrupted.
    """

    def __init__(self, out: str | os.PathLike[str], config: dict[str, Any]):
        self.directory: Path = Path(out).expanduser() / "checkpoints"
        self.config = config
        self.exists: bool = self.directory.is_dir()

    def resume(self, console: Console, name: str | None = None) -> Resume:
        """The callback that goes on where a training of the run stopped; says on `console` where that is.

        Args:
            console: where it speaks.
            name: of a training beside the main one, whose checkpoints are in a directory of their own.
        """
        directory = self.directory / name if name else self.directory
        reached = progress(directory) if self.exists else None
        if reached is not None:
            what = f"the interrupted run in {self.directory.parent}" + (f" ({name})" if name else "")
            show(console, f"goes on with {what}, from epoch {reached['epoch'] + 1}")
        return Resume(directory, config=self.config, verbose=0)

    def finish(self, write: Callable[[], None]) -> None:
        """Writes the results, then removes the checkpoints, which stay where the results could not be written."""
        try:
            write()
        except OSError as problem:
            warn(f"The results could not be written ({problem}). The checkpoints stay in {self.directory}: run again.")
        else:
            self.remove()

    def remove(self) -> None:
        """The run is complete, or is to begin anew."""
        if self.directory.is_dir():
            shutil.rmtree(self.directory)


def show(console: Console, what: RenderableType) -> None:
    """Prints a text or a table; a run that is done does not fail because its output is closed, or lacks a character."""
    try:
        console.print(PrintableRenderable(Text(what) if isinstance(what, str) else what), soft_wrap=isinstance(what, str))
    except (OSError, ValueError) as problem:
        warn(f"The output cannot be written: {problem}")
