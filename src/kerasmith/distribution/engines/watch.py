"""A thread in each process that tells the others where it stands, and looks for those that have failed or fallen silent."""

import contextlib
import json
import os
import signal
import threading
import time
from typing import Any, Protocol

from kerasmith.distribution._launch_notes import LaunchNotes
from kerasmith.distribution._replica_error import ReplicaError, SetupError
from kerasmith.files.messages import say_error

EVERY = 0.5
# A process that is killed closes its connections, which is noticed at once; one that only says nothing may be busy.
SILENCE = 30.0
# After which processes that all wait for another exchange are ended.
CIRCLE = 5.0
# How many others a process looks at: if each asked all, the store could not answer. Who finds a failure tells all.
LOOKED_AT = 8
# How long a process that waits inside of the engine, where no Python error reaches it, may go on after another has failed.
LAST_CALL = 10.0


class Store(Protocol):
    """Keys and values that all processes see, in a connection of its own."""

    def set(self, key: str, value: str) -> Any: ...

    def get(self, key: str) -> Any: ...

    def check(self, keys: list[str]) -> bool: ...


class Watch:
    """Tells and asks, twice a second, until `stop`.

    Args:
        store: what all processes see.
        rank, count: of this process, and how many there are.
    """

    def __init__(self, store: Store, rank: int, count: int) -> None:
        self._store = store
        self.rank: int = rank
        self.count: int = count
        self.notes: LaunchNotes = LaunchNotes(rank)
        self.epoch: int = -1
        self.step: int = -1
        self.doing: str = "before training"
        self.failure: str | None = None
        # Whether this process waits for the others in an exchange.
        self.waiting: bool = False
        self._exchange = (0, "")
        self._circle: tuple[Any, float] = ({}, 0.0)
        self._lock = threading.Lock()
        self._state, self._beats = "runs", 0
        self._seen: dict[int, tuple[Any, float]] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kerasmith watch", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def at(self, doing: str, epoch: int | None = None, step: int | None = None) -> None:
        """Says where this process stands; costs no exchange."""
        self.doing = doing
        self.epoch = self.epoch if epoch is None else epoch
        self.step = self.step if step is None else step
        self.notes.at(self.epoch, self.step)

    def wait_for(self, exchange: str) -> None:
        """Says that this process now waits for the others in an exchange, until `waiting` is False."""
        self._exchange = (self._exchange[0] + 1, exchange)
        self.waiting = True

    def tell(self, state: str, cause: str = "") -> None:
        """Tells the others at once that this process "failed" or "ended"."""
        if self._state == "runs":
            self._state = state
            with contextlib.suppress(Exception), self._lock:
                self._beat(cause)

    def fail(self, problem: BaseException) -> None:
        """Tells the others, and the launcher, what ended this process."""
        text = f"{type(problem).__name__}: {problem}".splitlines()[0]
        kind = "peer" if isinstance(problem, ReplicaError) else "input" if isinstance(problem, SetupError) else "error"
        self.notes.cause(kind, str(problem) if kind == "input" else text)
        self.tell("failed", text)

    def check(self) -> None:
        """Raises a `ReplicaError` where another process is known to have failed."""
        if self.failure is not None:
            raise ReplicaError(self.failure)

    def explain(self, problem: BaseException, patience: float = 5.0) -> ReplicaError:
        """The error for an exchange that broke: the cause that the others tell, if they do within `patience` seconds."""
        until = time.monotonic() + patience
        while self.failure is None and time.monotonic() < until:
            time.sleep(0.05)
        text = self.failure or (
            f"Another process has ended without a word, perhaps killed, while rank {self.rank} was {self._where()}. "
            f"The engine said: {str(problem).splitlines()[0][:200]}"
        )
        return ReplicaError(text)

    def stop(self) -> None:
        """Ends the thread; the others learn that this process ended."""
        self.tell("ended")
        self._stopped.set()

    def _where(self):
        return f"{self.doing}, epoch {self.epoch}, step {self.step}" if self.step >= 0 else self.doing

    def _beat(self, cause=""):
        self._beats += 1
        self._store.set(
            f"beat/{self.rank}", json.dumps([self._beats, self._state, self._where(), cause, self.waiting, self._exchange])
        )

    def _run(self):
        failed_since = None
        while not self._stopped.wait(EVERY):
            try:
                with self._lock:
                    if self._state == "runs":
                        self._beat()
                    self._look()
            except Exception as problem:
                if self._stopped.is_set():
                    return
                # The store lives in rank 0, or in the launcher: who has lost it has lost the others.
                self.failure = self.failure or (
                    f"Rank 0, or the launcher, which keeps what the processes tell each other, has ended while rank "
                    f"{self.rank} was {self._where()}. ({type(problem).__name__})"
                )
            if self.failure is not None:
                failed_since = failed_since or time.monotonic()
                if self.waiting and time.monotonic() - failed_since > LAST_CALL:
                    say_error(f"error: {self.failure}")
                    self.notes.cause("peer", self.failure)
                    # No error of Python reaches code of the engine that waits.
                    os.kill(os.getpid(), signal.SIGKILL)

    def _look(self):
        waiting = {self.rank: (self._exchange, self._where())} if self.waiting else {}
        others = [(self.rank + step) % self.count for step in range(1, min(self.count, LOOKED_AT + 1))]
        asks_some = len(others) < self.count - 1
        if asks_some and self.failure is None and self._store.check(["failure"]):
            self.failure = _text_of(self._store.get("failure"))
        for other in others:
            if not self._store.check([f"beat/{other}"]):
                continue
            beats, state, where, cause, waits, exchange = json.loads(self._store.get(f"beat/{other}"))
            if waits:
                waiting[other] = (tuple(exchange), where)
            now = time.monotonic()
            before, since = self._seen.get(other, (None, now))
            self._seen[other] = (beats, now if beats != before else since)
            if self.failure is not None:
                continue
            if state == "failed":
                self.failure = f"Rank {other} failed while it was {where}: {cause}"
            elif state == "ended":
                self.ended(other, where)
            elif now - since > SILENCE and beats == before:
                self.failure = f"Rank {other} has said nothing for {SILENCE:.0f} s; it was {where}."

        self._look_for_a_circle(waiting, len(others) + 1)
        if asks_some and self.failure is not None and not self._store.check(["failure"]):
            self._store.set("failure", self.failure)

    def _look_for_a_circle(self, waiting, known):
        """Processes that all wait, in different exchanges, wait for ever."""
        if len(waiting) < known or len({exchange for exchange, _ in waiting.values()}) == 1 or waiting != self._circle[0]:
            self._circle = (waiting, time.monotonic())
        elif time.monotonic() - self._circle[1] > CIRCLE and self.failure is None:
            places = "; ".join(f"rank {rank} {where} ({exchange[1]})" for rank, (exchange, where) in sorted(waiting.items()))
            self.failure = f"All processes wait for each other, in different steps or exchanges: {places}."

    def ended(self, other: int, where: str) -> None:
        """Another process has come to its end, which is an error while this one waits for it."""
        if self.waiting:
            self.failure = f"Rank {other} has ended ({where}), and rank {self.rank} waits for it: {self._where()}."


def _text_of(value):
    return value.decode() if isinstance(value, bytes) else value
