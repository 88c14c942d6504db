"""The directory of a run: made and checked before any training."""

import tempfile
from pathlib import Path

REPORT, HISTORY, MODEL, SUMMARY = "report.html", "history.csv", "model.keras", "summary.json"
EVENTS = "events.*"


def prepare(directory, overwrite=False):
    """Creates the directory of a run and makes sure that files can be written there.

    Args:
        directory: a path; missing parents are created, `~` is the home directory.
        overwrite: take a directory that holds files, and remove those which an earlier run wrote: report.html, history.csv,
            model.keras, events.* and summary.json. Other files stay untouched.

    Returns:
        The directory as a `pathlib.Path`.

    Raises:
        ValueError: if the directory cannot be written, or holds files and `overwrite` is False. Nothing has changed then.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as scratch:
    ...     prepare(scratch + "/runs/first").is_dir()
    True
    """
    try:
        path = Path(directory).expanduser()
    except TypeError:
        raise ValueError(f'Expected a path, such as "runs/first". Received: directory={directory!r}') from None
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path} is a file, and a run needs a directory of its own, such as {path}.run")
    try:
        path.mkdir(parents=True, exist_ok=True)
        # Access rights tell only half the story (read-only mounts, full disks): write something.
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"x")
        filled = any(path.iterdir())
    except OSError as error:
        raise ValueError(
            f"Cannot write into {path}: {error.strerror or error}. Choose a directory that you may write, "
            f'such as "{Path("runs") / (path.name or "first")}"'
        ) from error
    names = (REPORT, HISTORY, MODEL, SUMMARY)
    if filled and not overwrite:
        raise ValueError(
            f"{path} holds files already. Choose another directory, or pass overwrite=True (--overwrite) to replace the "
            "report, history, model, events and summary of the earlier run; other files stay"
        )
    # The drafts are what a run leaves behind that was killed while it wrote.
    for pattern in (*names, EVENTS, *(f".{name}.*.tmp*" for name in names)):
        for old in path.glob(pattern):
            if old.is_file() or old.is_symlink():
                old.unlink()
    return path
