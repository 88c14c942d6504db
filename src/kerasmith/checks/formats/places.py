"""How a file is named to a reader or a program: below the working directory by its relative path."""

import os
import pathlib


def relative(file: str) -> pathlib.Path:
    """The path as a `pathlib.Path`, relative where it is below the working directory."""
    path = pathlib.Path(file)
    try:
        return path.resolve().relative_to(pathlib.Path.cwd().resolve())
    except (ValueError, OSError):
        return path


def place(file: str | None, line: int | None = None) -> str:
    """`losses.py:12`, which terminals and editors make a link; "" where the file is unknown."""
    if not file:
        return ""
    return f"{relative(file)}{'' if line is None else f':{line}'}"


def uri(file: str) -> tuple[str, bool]:
    """(URI, whether it is relative to the working directory), percent-encoded, with forward slashes."""
    path = relative(file)
    if not path.is_absolute():
        from urllib.parse import quote

        return quote(path.as_posix()), True
    return pathlib.Path(os.path.abspath(path)).as_uri(), False
