"""What a process runs, so that those that run something else are found before they train."""

import sys
import zlib
from pathlib import Path
from typing import Any

import keras

from kerasmith.distribution._replica_error import SetupError

_WORKER_OF_RAY = "default_worker.py"


def identity() -> dict[str, Any]:
    """{what: value} that must be the same in all processes."""
    script = Path(sys.argv[0]) if sys.argv and sys.argv[0] else None
    code = zlib.crc32(script.read_bytes()) if script is not None and script.is_file() else None
    # A worker of Ray runs Ray's own script, which is told of its worker, unless `kerasmith launch` has put in the user's.
    arguments = [] if script is not None and script.name == _WORKER_OF_RAY else sys.argv[1:]
    return {
        "script": code,
        "arguments": arguments,
        "backend": keras.backend.backend(),
        "Keras": keras.__version__,
        "floatx": keras.config.floatx(),
        "Python": sys.version.split()[0],
    }


def compare(identities: list[dict[str, Any]]) -> None:
    """Raises a `SetupError` that names the first process that differs from that of rank 0, and in what."""
    first = identities[0]
    for rank, other in enumerate(identities):
        for name, value in first.items():
            if other.get(name) != value:
                raise SetupError(
                    f"Rank {rank} runs another {name} than rank 0: {other.get(name)!r} instead of {value!r}. All processes of "
                    "a training must run the same code with the same packages."
                )
