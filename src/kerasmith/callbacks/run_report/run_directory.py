"""The directory of a run: made and checked before any training."""

from pathlib import Path

from kerasmith import _types
from kerasmith.callbacks.own_place import lock_name
from kerasmith.checkpoints.training_lock import TrainingLock
from kerasmith.files.writable_directory import writable_directory

REPORT, HISTORY, MODEL, SUMMARY = "report.html", "history.csv", "model.keras", "summary.json"
DATA, CASES = "report.json", "cases.csv"
NAMES = (REPORT, DATA, HISTORY, MODEL, SUMMARY, CASES)
EVENTS = "events.*"


def prepare(directory: _types.Path, overwrite: bool = False, keep: bool = False) -> Path:
    """Creates the directory of a run and makes sure that files can be written there.

    Args:
        directory: a path; missing parents are created, `~` is the home directory.
        overwrite: take a directory that holds files, and remove those which an earlier run wrote: report.html, report.json,
            history.csv, cases.csv, model.keras, events.* and summary.json. Other files stay untouched, also checkpoints.
        keep: take a directory that holds files, and remove none of them but unfinished drafts: the run goes on there.

    Returns:
        The directory as a `pathlib.Path`.

    Raises:
        ValueError: if the directory cannot be written, or holds files and neither `overwrite` nor `keep` is True, or both are,
            or another training writes its report there and `overwrite` is True. Nothing has changed then.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as scratch:
    ...     prepare(scratch + "/runs/first").is_dir()
    True
    """
    if overwrite and keep:
        raise ValueError("`overwrite` removes the files of the earlier run and `keep` keeps them. Received: both are True")
    path = writable_directory(directory)
    lock = lock_name(REPORT)
    holder = TrainingLock(path, lock).holder() if (path / lock).exists() else None
    if holder and overwrite:
        raise ValueError(
            f"A training writes its report to {path} just now: {holder}. Wait for it, end it, or give this one another "
            f'directory, such as "{path}-2"'
        )
    if holder and keep:
        return path  # a draft may be of the one who is writing
    if any(file.name != lock for file in path.iterdir()) and not (overwrite or keep):
        raise ValueError(
            f"{path} holds files already. Choose another directory, or pass overwrite=True (--overwrite) to replace the "
            "report, history, model, events and summary of the earlier run, or keep=True to go on in it; other files stay"
        )
    # The drafts are what a run leaves behind that was killed while it wrote.
    drafts = tuple(f".{name}.*.tmp*" for name in NAMES)
    for pattern in drafts if keep else (*NAMES, EVENTS, *drafts):
        for old in path.glob(pattern):
            if old.is_file() or old.is_symlink():
                old.unlink()
    return path


def set_aside(path: _types.Path) -> Path | None:
    """Renames a file, if it is there, to the first free of `<name>.bak`, `<name>.bak2`, ...; returns the new path or None."""
    path = Path(path)
    if not path.exists() and not path.is_symlink():
        return None
    number, free = 1, path.with_name(path.name + ".bak")
    while free.exists() or free.is_symlink():
        number += 1
        free = path.with_name(f"{path.name}.bak{number}")
    return path.rename(free)
