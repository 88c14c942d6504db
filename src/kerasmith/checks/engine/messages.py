"""What an exception says, in one line."""

import re
import traceback

_STYLE = re.compile("\x1b\\[[0-9;]*m")
_FRAME = "Exception encountered when calling"


def other_backend(error: BaseException) -> str | None:
    """The library whose function was given tensors of another one, by the way that an exception took; None if it is none."""
    from kerasmith.checks.engine.lazy_keras import backend

    here = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}[backend()]
    for frame in traceback.extract_tb(error.__traceback__):
        for name in ("tensorflow", "torch", "jax"):
            if name != here and f"/site-packages/{name}/" in frame.filename.replace("\\", "/"):
                return name
    return None


def first_line(error: BaseException) -> str:
    """The line of a message that matters: Keras puts its own around what a layer's `call` or a constructor raises."""
    text = _STYLE.sub("", str(error)).rpartition("Exception encountered:")[2]
    lines = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith(_FRAME)]
    return lines[0][:200] if lines else "(no message)"


def describe_error(error: BaseException) -> str:
    """`ValueError: the line that matters`."""
    return f"{type(error).__name__}: {first_line(error)}"
