"""Writes checkpoints while training goes on."""

import concurrent.futures
from typing import Any

from kerasmith.checkpoints import state_file
from kerasmith.checkpoints.directory import CheckpointDirectory
from kerasmith.files.messages import warn


class CheckpointWriter:
    """One thread that writes into a `CheckpointDirectory`; a second write waits for the first.

    Args:
        directory: a `CheckpointDirectory`.
    """

    directory: CheckpointDirectory

    def __init__(self, directory: CheckpointDirectory) -> None:
        self.directory = directory
        self._thread = self._writing = None

    def __getstate__(self) -> dict[str, Any]:
        # A copy has no part in what is being written.
        return {"directory": self.directory, "_thread": None, "_writing": None}

    def write(self, step: int, tree: Any) -> None:
        """Begins to write the state of a step; its arrays must not change any more.

        Raises:
            TypeError: if the tree holds something that cannot be saved; before anything is written.
        """
        packed = state_file.pack(tree)
        self.wait()
        if self._thread is None:
            self._thread = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="kerasmith-checkpoint")
        self._writing = self._thread.submit(self.directory.write, step, packed)

    def wait(self) -> None:
        """Returns when all is on the disk; warns if it could not be written."""
        if self._writing is None:
            return
        writing, self._writing = self._writing, None
        try:
            writing.result()
        except OSError as error:
            warn(
                f"Resume: a checkpoint could not be written to {self.directory.path}: {error.strerror or error}. Training "
                "goes on; the last good checkpoint stays as it was.",
                stacklevel=5,
            )
