"""Contenders in processes of their own, which one backend each needs."""

import contextlib
import json
import os
import subprocess
import sys

# {backend of Keras: that of DeepXDE}.
_OF_DEEPXDE = {"torch": "pytorch", "tensorflow": "tensorflow", "jax": "jax"}


class Contender:
    """A library with a problem, ready to train.

    Args:
        library: "kerasmith" or "deepxde".
        problem: a name.
        backend: of Keras.
        seed: of the first weights.
    """

    def __init__(self, library, problem, backend, seed=0):
        environment = {**os.environ, "KERAS_BACKEND": backend, "DDE_BACKEND": _OF_DEEPXDE[backend], "PROBLEM_LIBRARY": library}
        self.name = f"{library}, {problem}, {backend}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.physics.worker", library, problem, str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if "PHYSICS_MESSAGES" not in os.environ else None,
            env=environment,
            text=True,
        )

    def __call__(self, method, *arguments):
        """(CPU seconds, result) of a method."""
        try:
            self._process.stdin.write(json.dumps([method, arguments]) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RuntimeError(f"{self.name} has ended. Set PHYSICS_MESSAGES=1 to read why.")
        return json.loads(line)

    def close(self):
        """Ends the process."""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.close()
