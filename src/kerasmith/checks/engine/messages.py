"""What an exception says, in one line."""

import re

_STYLE = re.compile("\x1b\\[[0-9;]*m")
_FRAME = "Exception encountered when calling"


def first_line(error: BaseException) -> str:
    """The line of a message that matters: Keras puts its own around what a layer's `call` or a constructor raises."""
    text = _STYLE.sub("", str(error)).rpartition("Exception encountered:")[2]
    lines = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith(_FRAME)]
    return lines[0][:200] if lines else "(no message)"


def describe_error(error: BaseException) -> str:
    """`ValueError: the line that matters`."""
    return f"{type(error).__name__}: {first_line(error)}"
