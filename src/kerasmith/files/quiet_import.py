"""Imports a backend without the lines that it writes to standard error before anybody can turn them off."""

import contextlib
import importlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

# Before absl is initialised no level is asked, and TensorFlow's libraries write their greetings.
_NOISE = re.compile(
    r"absl::InitializeLog|^[IW]\d{4} |^\d{4}-\d\d-\d\d [\d:.]+: [IW] |^To enable the following instructions|oneDNN"
)


def import_quietly(name: str) -> None:
    """Imports a module; of what it writes to standard error, errors and all else that is no greeting are shown."""
    with _without_noise():
        importlib.import_module(name)


@contextlib.contextmanager
def _without_noise() -> Iterator[None]:
    try:
        sys.stderr.flush()
        saved = os.dup(2)
    except (OSError, AttributeError, ValueError):  # there is no standard error
        yield
        return
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            caught.seek(0)
            lines = caught.read().decode(errors="replace").splitlines()
            rest = [line for line in lines if line.strip() and not _NOISE.search(line)]
            if rest:
                sys.stderr.write("\n".join([*rest, ""]))
