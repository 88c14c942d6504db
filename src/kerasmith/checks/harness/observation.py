"""One short scripted training that is watched from all sides, for several checks at once."""

import contextlib
import dataclasses
import os
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kerasmith.checks.harness import scenarios
from kerasmith.checks.harness.scripted_training import counted_model_access
from kerasmith.checks.harness.temporary_cwd import temporary_cwd

_listeners = []
_hooked = []


@dataclasses.dataclass
class Observation:
    """What was seen of a callback while the loss fell for four epochs.

    Attributes:
        trace: its `Trace`.
        steps: {(epoch, step)} in whose hooks a callback asked for `self.model`.
        emptied: paths of files with content that were opened with "w", once for each time.
        replaced: paths that were moved elsewhere after they were written.
        generators: {"random" | "np.random": {hook: [state after it in each epoch]}}, as hashes; numbers are drawn
            between hooks.
    """

    trace: object = None
    steps: set[tuple[int, int]] = dataclasses.field(default_factory=set)
    emptied: list[str] = dataclasses.field(default_factory=list)
    replaced: set[str] = dataclasses.field(default_factory=set)
    generators: dict[str, Any] = dataclasses.field(default_factory=dict)


def observe(case: Any) -> Observation:
    """The `Observation` of a fresh callback."""
    seen = Observation()
    with temporary_cwd() as printed, _restored_generators():
        here = os.path.realpath(os.getcwd())

        def watch(hook: str, epoch: int | None, step: int | None) -> None:
            if hook in ("on_epoch_begin", "on_epoch_end"):
                for name, state in _generator_states().items():
                    seen.generators.setdefault(name, {}).setdefault(hook, []).append(state)
            # Training draws numbers, too.
            random.random()
            np.random.random()  # noqa: NPY002

        def count(asking: Any) -> None:
            hook, epoch, step = script.now
            if "train_batch" in (hook or ""):
                seen.steps.add((epoch, step))

        def listen(event: str, arguments: tuple) -> None:
            if event == "open" and isinstance(arguments[0], (str, bytes)) and _empties(arguments[1], arguments[2]):
                path = os.path.realpath(os.fsdecode(arguments[0]))
                if path.startswith(here) and os.path.isfile(path) and os.path.getsize(path):
                    seen.emptied.append(os.path.relpath(path, here))
            elif event == "os.rename":
                seen.replaced.add(os.path.relpath(os.path.realpath(os.fsdecode(arguments[0])), here))

        callback = case.make()
        script = case.script(scenarios.falling(), printed, watch=watch)
        with _listening(listen), counted_model_access(count):
            seen.trace = script.run(callback)
    return seen


def _empties(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        return "w" in mode
    return bool(flags & os.O_TRUNC) if isinstance(flags, int) else False


def _generator_states() -> dict[str, int]:
    _, keys, position, *_ = np.random.get_state()  # noqa: NPY002
    return {"random": hash(random.getstate()), "np.random": hash((keys.tobytes(), position))}


@contextlib.contextmanager
def _restored_generators() -> Iterator[None]:
    """Leaves the global generators as they were before the block."""
    ours, numpys = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(ours)
        np.random.set_state(numpys)  # noqa: NPY002


@contextlib.contextmanager
def _listening(listener: Callable[[str, tuple], None]) -> Iterator[None]:
    """Calls `listener(event, arguments)` for what Python opens and renames in the block."""
    if not _hooked:
        # A hook of this kind stays for the life of the process; it does nothing while nobody listens.
        sys.addaudithook(lambda event, arguments: [one(event, arguments) for one in _listeners] if _listeners else None)
        _hooked.append(True)
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
