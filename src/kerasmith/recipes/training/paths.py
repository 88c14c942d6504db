"""Paths of a configuration."""

import contextlib
import os
from pathlib import Path


def absolute(folder: str | os.PathLike[str], text: str) -> str:
    """A path relative to a folder, made absolute; `~` is the home directory, also where it is not known."""
    path = Path(text)
    with contextlib.suppress(RuntimeError):
        path = path.expanduser()
    return os.path.abspath(Path(folder) / path)
