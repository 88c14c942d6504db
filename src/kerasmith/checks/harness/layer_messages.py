"""What an exception says, in one line."""

import re

_STYLE = re.compile("\x1b\\[[0-9;]*m")


def said(error):
    """`ValueError: the line that matters`: Keras puts a frame of its own around what a layer's `call` raises."""
    lines = [line.strip() for line in _STYLE.sub("", str(error)).splitlines()]
    lines = [line for line in lines if line and not line.startswith("Exception encountered when calling")]
    text = lines[0] if lines else ""
    return f"{type(error).__name__}: {text[:200]}"
