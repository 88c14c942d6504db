"""What a process of `kerasmith launch` leaves for the launcher to read, in a directory of its own: small files."""

import json
import mmap
import os
import struct
from pathlib import Path

# The launcher sets it; see `kerasmith.cli.launching`.
VARIABLE = "KERASMITH_LAUNCH_DIRECTORY"
_PLACE = struct.Struct("<qq")


class LaunchNotes:
    """The notes of one process; without a launcher they go nowhere.

    Args:
        rank: of this process.
    """

    def __init__(self, rank: int | str) -> None:
        directory = os.environ.get(VARIABLE)
        if directory and not os.path.isdir(directory):
            directory = None  # on another machine
        self._start = Path(directory) / str(rank) if directory else None
        self._memory = self._mapped() if directory else None

    def _mapped(self):
        file = self._start.with_suffix(".place")
        file.write_bytes(_PLACE.pack(-1, -1))
        with open(file, "r+b") as opened:
            # A write into it costs no call of the system, and stays when the process is killed.
            return mmap.mmap(opened.fileno(), _PLACE.size)

    def called(self) -> None:
        """Notes that the script has called `setup`."""
        if self._start is not None:
            self._start.with_suffix(".called").touch()

    def at(self, epoch: int, step: int) -> None:
        """Notes where the training stands."""
        if self._memory is not None:
            self._memory[:] = _PLACE.pack(epoch, step)

    def ends(self) -> None:
        """Notes that the script has come to its end with an error: the launcher ends all soon after."""
        if self._start is not None:
            self._start.with_suffix(".ends").touch()

    def cause(self, kind: str, text: str) -> None:
        """Notes why this process ends, or would if its script did not catch the error.

        Args:
            kind: "input" for a call that cannot be met, "peer" where another process is the cause, "error" otherwise.
            text: one line.
        """
        if self._start is not None:
            draft = self._start.with_suffix(".draft")
            draft.write_text(json.dumps({"kind": kind, "text": text}))
            os.replace(draft, self._start.with_suffix(".cause"))
