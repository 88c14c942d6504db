"""Pages of runs from their directories alone: `kerasmith report`."""

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from kerasmith.files import run_files
from kerasmith.files.atomic_write import write_atomically
from kerasmith.recipes.unfinished_run import show
from kerasmith.report.comparison import comparison_page
from kerasmith.report.run_data import read_run_data
from kerasmith.report.run_page import run_page


def write(
    runs: Sequence[str | os.PathLike[str]], out: str | os.PathLike[str] | None = None, console: Console | None = None
) -> Path:
    """Writes the page of a run, or one that compares several; returns its path.

    Args:
        runs: directories.
        out: the file; by default report.html of the run, of several compare.html in the current directory.
        console: a `rich.console.Console`.

    Raises:
        ValueError: for a directory without a run, the same one twice, or a file that cannot be written there.
    """
    directories = [run_files.run_directory(run) for run in runs]
    if len({directory.resolve() for directory in directories}) < len(directories):
        raise ValueError("The same run is given twice. Expected other directories")
    path = Path(out).expanduser() if out else directories[0] / "report.html" if len(runs) == 1 else Path("compare.html")
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise ValueError(f"`--out` is the path of a page in a directory that exists. Received: {path}")
    if len(directories) == 1:
        page = run_page(read_run_data(directories[0]), directories[0])
    else:
        named = dict(zip(short_names(directories), directories, strict=True))
        data = {name: read_run_data(directory) for name, directory in named.items()}
        cases = {name: run_files.read_cases(directory / run_files.CASES) for name, directory in named.items()}
        page = comparison_page(data, cases)
    write_atomically(path, page)
    show(console or Console(), f"report: {path}")
    return path


def short_names(directories: Sequence[Path]) -> list[str]:
    """The last parts of paths, as many as make them differ.

    >>> short_names([Path("a/runs/x"), Path("b/runs/x"), Path("b/runs/y")])
    ['a/runs/x', 'b/runs/x', 'b/runs/y']
    """
    parts = [directory.resolve().parts for directory in directories]
    for count in range(1, max(map(len, parts)) + 1):
        names = ["/".join(one[-count:]) for one in parts]
        if len(set(names)) == len(names):
            break
    return names
