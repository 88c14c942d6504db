"""Files that a callback writes over and over."""

import os

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.callbacks.case import CallbackCase


@check("C116", "callback", "warning", since="0.1.0")
def overwrites_in_place(case: CallbackCase) -> None:
    """A file is opened for writing while the old content is still needed.

    Opening with "w" empties the file at once. A kill, or a full disk, before the new content is written leaves an empty or
    half-written file: the only copy of the state is gone.

    Fix: write to a file of another name in the same folder, `flush` and `os.fsync` it, then `os.replace(unfinished, path)`.
    """
    seen = case.observed
    endangered = [path for path in seen.emptied if path not in seen.replaced]
    if not seen.trace.files and not endangered:
        raise NotApplicable("writes no files")
    if endangered:
        raise Failed(
            expected=f"{endangered[0]} has its old or its new content at every moment",
            actual=f'it is opened with "w" {endangered.count(endangered[0])} times while it has content',
            lines=(
                "import sys",
                "def tell(event, values):",
                f"    old = event == 'open' and str(values[0]).endswith({os.path.basename(endangered[0])!r})",
                "    if old and os.path.exists(values[0]):",
                "        print('opened with', values[1], 'while it holds', os.path.getsize(values[0]), 'bytes')",
                "sys.addaudithook(tell)",
                *case.fit_lines(epochs=3),
            ),
        )
