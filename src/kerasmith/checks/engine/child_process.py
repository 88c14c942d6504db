"""A process that this one starts and talks to, a line of JSON at a time."""

import contextlib
import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import threading
from typing import IO, Any

import kerasmith


class ChildProcess:
    """A module of kerasmith that runs in a process of its own.

    Args:
        module: its dotted name; it reads a line of JSON from standard input for each message and writes one for each answer.
        backend: "tensorflow", "jax" or "torch": what Keras runs on there; None for what it would choose by itself.
        options: of the interpreter.
        stderr: a file for its standard error.
        group: whether it leads a group of processes; `stop` then ends its own children too.
        **environment: variables that it needs besides.
    """

    def __init__(
        self,
        module: str,
        backend: str | None,
        options: tuple[str, ...] = (),
        stderr: int | IO[Any] = subprocess.DEVNULL,
        group: bool = False,
        **environment: str,
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *options, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=child_environment(backend, **environment),
            start_new_session=group,
            text=True,
        )
        self._group = group
        self._lines: queue.Queue = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def write(self, message: dict[str, Any]) -> None:
        """Sends a message.

        Raises:
            BrokenPipeError: if the process has ended.
        """
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def read(self, seconds: float) -> dict[str, Any] | None:
        """The next answer; None if the process has ended.

        Raises:
            TimeoutError: if there is none within `seconds`.
        """
        try:
            return self._lines.get(timeout=max(0.0, seconds))
        except queue.Empty:
            raise TimeoutError from None

    def wait(self, seconds: float | None = None) -> int:
        """The exit status, once it has ended."""
        return self._process.wait(seconds)

    def close_input(self) -> None:
        """Says that no message comes any more."""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def stop(self) -> None:
        """Ends it."""
        if self.running:
            try:
                if not self._group:
                    raise ProcessLookupError
                # A hanging loader, or what a component has started.
                os.killpg(self._process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError, AttributeError):
                self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        self.close_input()

    def _read(self) -> None:
        """Puts every answer into the queue, None at the end."""
        # ValueError: closed, or the last line of a process that was ended.
        with contextlib.suppress(ValueError):
            for line in self._process.stdout:
                self._lines.put(json.loads(line))
        self._lines.put(None)


def child_environment(backend: str | None, **more: str) -> dict[str, str]:
    """Environment variables for a process with Keras on `backend`.

    Args:
        backend: "tensorflow", "jax" or "torch"; None leaves the choice to Keras.
        **more: what the child needs besides.
    """
    # This kerasmith, also where it is not installed; behind everything else, so that it hides nothing.
    here = str(pathlib.Path(kerasmith.__file__).resolve().parents[1])
    return {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # The inputs are small: threads only wait for each other, most of all beside another process.
        "OMP_NUM_THREADS": "1",
        **os.environ,
        **({} if backend is None else {"KERAS_BACKEND": backend}),
        "PYTHONPATH": os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), here])),
        **more,
    }
