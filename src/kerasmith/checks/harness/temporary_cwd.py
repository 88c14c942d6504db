"""An empty folder to work in, where nothing is printed and nothing is left behind."""

import contextlib
import io
import os
import pathlib
import re
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

# Seconds since 1970.
_TIME = re.compile(r"\d{9,}")


@contextlib.contextmanager
def temporary_cwd() -> Iterator[io.StringIO]:
    """Runs the block in an empty working directory, with its warnings and its standard output put away.

    Yields:
        An `io.StringIO` with what the block prints.
    """
    home, text = os.getcwd(), io.StringIO()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.chdir(folder)
        try:
            with contextlib.redirect_stdout(text), contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield text
        finally:
            os.chdir(home)


def files_here() -> dict[str, Any]:
    """{relative path: content} of the working directory.

    The content is bytes, of an archive {member: checksum} without the texts, which hold its date. Files with a time in
    their name are left out.
    """
    paths = [path for path in sorted(pathlib.Path().rglob("*")) if path.is_file() and not _TIME.search(path.name)]
    return {str(path): _content(path) for path in paths}


def _content(path: pathlib.Path) -> bytes | dict[str, int]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return {member.filename: member.CRC for member in archive.infolist() if not member.filename.endswith(".json")}
    return path.read_bytes()
