"""Messages that no closed, full or narrow stream can turn into an error."""

import contextlib
import sys
import warnings

from kerasmith.files import run_events

_MUTED: list[bool] = []


def mute() -> None:
    """From now on `say` prints nothing: the first of several processes says it (since 0.2)."""
    _MUTED.append(True)


def say(text: str) -> None:
    """Prints a line to standard output; where that cannot be written, the text becomes a warning.

    Characters that the encoding of the output does not have are written as `?`.
    """
    if _MUTED:
        return
    # While a bar of Rich is on the screen, its stand-in for the output knows no encoding.
    stream = getattr(sys.stdout, "rich_proxied_file", sys.stdout)
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        print(printable(text, encoding))
    except Exception as problem:  # a stream may be an object of the user's
        warn(f"{text.strip()} (Standard output cannot be written: {problem})", stacklevel=2)


def say_error(text: str) -> None:
    """Writes a line to standard error, if it can be written: for a process that is about to end (since 0.2)."""
    with contextlib.suppress(Exception):
        print(text, file=sys.stderr, flush=True)


def warn(text: str, category: type[Warning] = UserWarning, stacklevel: int = 1) -> None:
    """`warnings.warn`, also where standard error is closed; raises only where a filter makes warnings errors.

    A report of the training that runs notes it too.
    """
    by = text.partition(":")[0]
    run_events.tell("warning", text, by=by if by.isidentifier() else "kerasmith")
    try:
        warnings.warn(text, category, stacklevel=stacklevel + 1)
    except Warning:
        raise
    except Exception:  # there is no place left to tell it
        return


def printable(text: str, encoding: str) -> str:
    """`text` with `?` for each character that an encoding does not have.

    >>> printable("Präzision · 1/3", "ascii")
    'Pr?zision - 1/3'
    """
    try:
        text.encode(encoding)
    except UnicodeError:
        return text.replace("·", "-").encode(encoding, "replace").decode(encoding)
    except LookupError:
        return text.encode("ascii", "replace").decode("ascii")
    return text
