"""An error of the script reaches the launcher, where an engine has no watch of its own."""

import os
import sys
from typing import Any

from kerasmith.distribution._launch_notes import LaunchNotes
from kerasmith.distribution._replica_error import ReplicaError, SetupError


def note_errors(notes: LaunchNotes) -> None:
    """From now on an error that ends the script is noted, so that the launcher ends the other processes and says why."""
    before = sys.excepthook

    def note(kind: Any, problem: Any, trace: Any) -> None:
        wrong = isinstance(problem, SetupError)
        text = str(problem) if wrong else f"{kind.__name__}: {problem}".splitlines()[0]
        notes.cause("input" if wrong else "peer" if isinstance(problem, ReplicaError) else "error", text)
        notes.ends()
        if not wrong or "KERASMITH_ENGINE" not in os.environ:  # whose launcher shows it
            before(kind, problem, trace)

    sys.excepthook = note
