"""Processes that end together, with their outputs joined line by line."""

import contextlib
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TextIO

# After one has failed: to notice it and say so, and to end after SIGTERM.
GRACE, TERMINATE = 6.0, 3.0
# After one has said that it ends: its interpreter may take long to leave, on a busy machine more than all may.
LEAVE = 9.0
# What a scheduler and a closed terminal send; Ctrl-C is an exception already.
ASKS_TO_END = (signal.SIGTERM, signal.SIGHUP)


class Processes:
    """Several processes, each with its own environment.

    Args:
        command: of all.
        environments: one for each.
        show: (number, line, whether it is an error's) for each line that they print; None for a number lets that process
            write to the terminal itself.
        direct: the number of a process that writes to the terminal itself, or None.
    """

    def __init__(
        self,
        command: Sequence[str],
        environments: Sequence[dict[str, str]],
        show: Callable[[int, str, bool], None],
        direct: int | None = None,
    ) -> None:
        self._show, self._threads = show, []
        self.running: list[subprocess.Popen[Any]] = []
        in_main = threading.current_thread() is threading.main_thread()
        self._handlers = {sign: signal.signal(sign, self._asked_to_end) for sign in ASKS_TO_END if in_main}
        for number, environment in enumerate(environments):
            pipe = None if number == direct else subprocess.PIPE
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=pipe,
                stderr=pipe,
                text=True,
                errors="replace",
                bufsize=1,
                # Ctrl-C reaches the launcher alone, which ends the others in order.
                start_new_session=True,
            )
            self.running.append(process)
            for stream, is_error in ((process.stdout, False), (process.stderr, True)):
                if stream is not None:
                    self._threads.append(threading.Thread(target=self._read, args=(number, stream, is_error), daemon=True))
                    self._threads[-1].start()

    def _read(self, number: int, stream: TextIO, is_error: bool) -> None:
        with contextlib.suppress(ValueError, OSError):
            for line in stream:
                self._show(number, line.rstrip("\n"), is_error)

    def wait(self, ending: Callable[[], Sequence[int]] = tuple) -> dict[int, int]:
        """Waits until all have ended; ends all soon after one has failed, or has said that it will.

        Args:
            ending: gives the numbers of those that have said by now that they end with an error.

        Returns:
            {number: exit status} of those that failed by themselves, the first first; negative for a signal.
        """
        failed: dict[int, int] = {}
        deadline = math.inf
        try:
            while any(process.poll() is None for process in self.running):
                for number, process in enumerate(self.running):
                    if process.poll() not in (None, 0) and number not in failed:
                        failed[number] = process.returncode
                now = time.monotonic()
                if failed:
                    deadline = min(deadline, now + GRACE)
                elif deadline == math.inf and ending():
                    deadline = now + LEAVE
                if now > deadline:
                    break
                time.sleep(0.05)
            for number, process in enumerate(self.running):
                if process.poll() not in (None, 0):
                    failed.setdefault(number, process.returncode)
            for number in ending():
                if self.running[number].poll() is None:
                    # What Python ends with, had it been given the time.
                    failed.setdefault(number, 1)
        finally:
            self.end()
            for sign, handler in self._handlers.items():
                signal.signal(sign, handler)
        for thread in self._threads:
            thread.join(timeout=1)
        return failed

    def _asked_to_end(self, sign: int, frame: Any) -> None:
        """A launcher that is ended leaves nothing that it has started."""
        self.end()
        raise SystemExit(128 + sign)

    def end(self) -> None:
        """Ends what still runs, with what it has started."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            alive = [process for process in self.running if process.poll() is None]
            for process in alive:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, number)
            until = time.monotonic() + TERMINATE
            while any(process.poll() is None for process in alive) and time.monotonic() < until:
                time.sleep(0.05)


def show_with_ranks(number: int, line: str, is_error: bool) -> None:
    """Prints a line with the rank in front; what a bar would have overwritten is left out."""
    text = line.rsplit("\r", 1)[-1].replace("\b", "")
    if text.strip() or not line:
        stream = sys.stderr if is_error else sys.stdout
        with contextlib.suppress(OSError, ValueError):
            print(f"[{number}] {text}", file=stream, flush=True)
