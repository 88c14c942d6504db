"""A run directory in which an interrupted recipe goes on."""

import os
import shutil
from pathlib import Path
from typing import Any

from rich.console import Console

from kerasmith.callbacks import Resume
from kerasmith.checkpoints.directory import progress


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

    def resume(self, console: Console) -> Resume:
        """The callback that goes on where the run stopped; says on `console` where that is."""
        reached = progress(self.directory) if self.exists else None
        if reached is not None:
            console.print(f"goes on with the interrupted run in {self.directory.parent}, from epoch {reached['epoch'] + 1}")
        return Resume(self.directory, config=self.config, verbose=0)

    def remove(self) -> None:
        """The run is complete, or is to begin anew."""
        if self.directory.is_dir():
            shutil.rmtree(self.directory)
