"""What components wrote into their errors, made fit for terminals and XML."""

import re
from typing import Any

# Terminals obey some of these, and XML 1.0 cannot hold them, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(text: Any) -> str:
    """The text with "?" for control characters, such as a terminal's codes for colours, and for halves of characters.

    Example:

    >>> printable("a\\x1b[31mred")
    'a?[31mred'
    """
    return _FORBIDDEN.sub("?", str(text).replace("\r\n", "\n"))
