"""A directory that is there and takes files."""

import os
import tempfile
from pathlib import Path


def writable_directory(directory: str | os.PathLike[str]) -> Path:
    """Creates a directory and makes sure that files can be written there, by writing one.

    Args:
        directory: a path; missing parents are created, `~` is the home directory.

    Returns:
        The directory as a `pathlib.Path`.

    Raises:
        ValueError: if it is no path, a file, or cannot be written.

    Example:

    >>> with tempfile.TemporaryDirectory() as scratch:
    ...     writable_directory(scratch + "/runs/first").is_dir()
    True
    """
    try:
        path = Path(directory).expanduser()
    except TypeError:
        raise ValueError(f'Expected a path, such as "runs/first". Received: directory={directory!r}') from None
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path} is a file. Choose a directory, such as {path}.run")
    try:
        path.mkdir(parents=True, exist_ok=True)
        # Access rights tell only half the story (read-only mounts, full disks): write something.
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"x")
    except OSError as error:
        raise ValueError(
            f"Cannot write into {path}: {error.strerror or error}. Choose a directory that you may write, "
            f'such as "{Path("runs") / (path.name or "first")}"'
        ) from error
    return path
