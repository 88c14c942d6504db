"""A directory of state files, of which the newest sound one counts."""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from kerasmith.checkpoints import state_file
from kerasmith.distribution.exchange import processes
from kerasmith.files.writable_directory import writable_directory

_NAME = "step-{:09d}.state"
_PATTERN = re.compile(r"step-(\d{9,})\.state")
_DRAFT = re.compile(r"\.step-\d{9,}\.state\.\d+\.tmp")


def progress(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """{"epoch", "batch", "stopped", "config"} of the newest sound checkpoint of a directory, or None if there is none."""
    for file in _files(Path(path).expanduser()):
        try:
            state = state_file.read(file)
        except state_file.Damaged:
            continue
        return {name: state[name] for name in ("epoch", "batch", "stopped", "config")}
    return None


class CheckpointDirectory:
    """Keeps the newest states of a run.

    Args:
        path: created, with its parents; `~` is the home directory.
        keep: how many states to keep, at least 2: the previous one is the way out when the newest is damaged.

    Raises:
        ValueError: if nothing can be written there.
    """

    path: Any
    keep: int

    def __init__(self, path: str | os.PathLike[str], keep: int) -> None:
        # Of several processes the first alone writes; the others may be on a machine without this directory.
        self.path = writable_directory(path) if processes().rank == 0 else Path(path).expanduser()
        self.keep = keep

    def write(self, step: int, packed: tuple[bytes, list[np.ndarray]]) -> None:
        """Adds the state of a step, as `state_file.pack` returned it, then removes the files that are too many."""
        self.path.mkdir(parents=True, exist_ok=True)  # somebody may have removed it since
        state_file.write(self.path / _NAME.format(step), packed)
        for path in _files(self.path)[self.keep :]:
            path.unlink(missing_ok=True)

    def newest(self) -> tuple[Any, Path | None, list[tuple[Path, str]]]:
        """(state, its file, [(damaged file, what is wrong)]) of the newest sound file; state and file None without any file.

        Raises:
            ValueError: if there are files and all of them are damaged.
        """
        damaged = []
        for path in _files(self.path):
            try:
                return state_file.read(path), path, damaged
            except state_file.Damaged as problem:
                damaged.append((path, str(problem)))
        if damaged:
            listed = "; ".join(f"{path.name}: {problem}" for path, problem in damaged)
            raise ValueError(
                f"Every checkpoint in {self.path} is damaged ({listed}). Training does not start anew by itself: remove these "
                "files to begin from scratch, or give another directory."
            )
        return None, None, []

    def remove_drafts(self) -> None:
        """Removes what writes that were cut off have left."""
        for path in self.path.iterdir():
            if _DRAFT.fullmatch(path.name):
                path.unlink(missing_ok=True)


def _files(directory):
    """The state files, newest first."""
    found = ((int(match[1]), path) for path in directory.glob("*.state") if (match := _PATTERN.fullmatch(path.name)))
    return [path for _, path in sorted(found, reverse=True)]
