"""Runs Python code in a fresh process on the same backend."""

import os
import subprocess
import sys

import keras


def run(code, *arguments, timeout=240, **environment):
    """Standard output of `python -c code *arguments`; fails with the process's own error output."""
    environment = {
        **os.environ,
        "KERAS_BACKEND": keras.backend.backend(),
        "PYTHONPATH": os.pathsep.join(["src", "."]),
        **environment,
    }
    process = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, env=environment
    )
    assert process.returncode == 0, process.stderr[-4000:]
    return process.stdout
