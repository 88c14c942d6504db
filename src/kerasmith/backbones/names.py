"""Names that are not there, answered with those that are near."""

import difflib
from collections.abc import Sequence

_MOST = 6


def near(name: str, known: Sequence[str]) -> str:
    """A sentence that lists the known names that are like `name`, or the first and last of all."""
    ends = {}
    for full in known:  # "block/conv" may have been meant by "conv"
        ends.setdefault(full.split("/")[-1], full)
    close = difflib.get_close_matches(name.lower(), [end.lower() for end in ends], n=_MOST, cutoff=0.5)
    by_small = {end.lower(): full for end, full in ends.items()}
    if close:
        return f"Near it: {', '.join(by_small[end] for end in close)}."
    if len(known) <= 2 * _MOST:
        return f"There are: {', '.join(known) or 'none'}."
    return f"There are: {', '.join(known[:_MOST])}, ..., {', '.join(known[-_MOST:])}."
