"""What a process runs, so that those that run something else are found before they train."""

import sys
import zlib
from pathlib import Path
from typing import Any

import keras

from kerasmith.distribution._replica_error import SetupError


def identity() -> dict[str, Any]:
    """{what: value} that must be the same in all processes."""
    script = Path(sys.argv[0]) if sys.argv and sys.argv[0] else None
    code = zlib.crc32(script.read_bytes()) if script is not None and script.is_file() else None
    return {
        "script": code,
        "arguments": sys.argv[1:],
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
