"""A second Python process that has never seen a component: what is saved here is loaded there.

It is started once, in the background, and stays: importing Keras takes seconds. See `fresh_process_server`.
"""

import atexit
import os
import sys
import tempfile
import time
from typing import Any

import numpy as np

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.child_process import ChildProcess
from kerasmith.checks.engine.finding import Inconclusive
from kerasmith.checks.engine.lazy_keras import backend
from kerasmith.checks.harness.fresh_process_server import encoded

# Keras and its backend, on a busy machine. A worker of `kerasmith check` has a limit for each check: it must not be ended for
# waiting, as it would have to start anew itself.
START = 10.0 if os.environ.get("KERASMITH_WORKER") else 90.0
# One component: import of its module, load, compute.
ANSWER = 30.0


class LoadFailed(Exception):
    """What was saved could not be used in the fresh process.

    Args:
        message: the exception there, as text.
        stage: "import", "load" or "run".
    """

    def __init__(self, message: str, stage: str) -> None:
        super().__init__(message)
        self.message: str = message
        self.stage: str = stage


class FreshProcess:
    """The child and the conversation with it."""

    def __init__(self) -> None:
        self._child: ChildProcess | None = None
        self._ready, self._asked = False, 0

    def start(self) -> None:
        """Starts the child if none runs; does not wait for it."""
        if self._child is not None and self._child.running:
            return
        self._ready = False
        self._child = ChildProcess(
            "kerasmith.checks.harness.fresh_process_server",
            backend(),
            # -P: a file of the user's named `queue.py` must not stand in for the standard library.
            options=("-P", "-W", "ignore"),
            # An accelerator is in use by this process: the child must not take the rest of its memory.
            XLA_PYTHON_CLIENT_PREALLOCATE="false",
            TF_FORCE_GPU_ALLOW_GROWTH="true",
        )

    def stop(self) -> None:
        """Ends the child."""
        child, self._child = self._child, None
        if child is not None:
            child.stop()

    def ask(self, seconds: float = ANSWER, **request: Any) -> None:
        """Waits until a request is done.

        Raises:
            LoadFailed: if the child raised.
            Inconclusive: if it did not answer in time or ended; the next request starts another.
        """
        self.start()
        self._wait_until_ready()
        self._asked += 1
        try:
            self._child.write({"id": self._asked, **request})
            answer = self._answer_to(self._asked, seconds)
        except BrokenPipeError:
            self.stop()
            raise Inconclusive("the fresh process ended") from None
        except BaseException:
            # Also a deadline that rings while waiting: an answer that comes later would belong to no request.
            self.stop()
            raise
        if answer["error"] is not None:
            raise LoadFailed(answer["error"], answer["stage"])

    def _wait_until_ready(self) -> None:
        """Waits for the child's first line; one that is late goes on starting, for the next request."""
        if self._ready:
            return
        try:
            self._answer_to(None, START)
        except Inconclusive:
            if not self._child.running:
                self.stop()
            raise
        self._ready = True

    def _answer_to(self, id: int | None, seconds: float) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while True:
            try:
                answer = self._child.read(end - time.monotonic())
            except TimeoutError:
                raise Inconclusive(f"the fresh process did not answer within {seconds:g} s") from None
            if answer is None:
                raise Inconclusive("the fresh process ended")
            if answer["id"] == id:
                return answer


_PROCESS = FreshProcess()
atexit.register(_PROCESS.stop)


def start_in_background() -> None:
    """Starts the child so that it is ready when it is asked."""
    _PROCESS.start()


def loaded_component_outputs(objects: list[dict[str, Any]], text: str, case: Case) -> list[np.ndarray]:
    """[array]: `case.outputs` of a component that the fresh process deserialises.

    Args:
        objects: [{"module", "file", "name"}] of what it must import first.
        text: JSON of `keras.saving.serialize_keras_object`.
        case: the inputs are drawn anew there, from the same seed.

    Raises:
        LoadFailed: if it cannot be loaded or run there.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = os.path.join(folder, "answer.npz")
        _PROCESS.ask(
            task="component",
            objects=objects,
            path=_path(),
            text=text,
            kind=case.kind,
            specs=encoded(case.specs),
            seed=case.seed,
            answer=answer,
        )
        return _arrays(answer)[0]


def loaded_model_outputs(
    objects: list[dict[str, Any]], file: str, inputs: list[np.ndarray]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """([output], [weight]) of a `.keras` file in the fresh process, on a list of arrays.

    Raises:
        LoadFailed: if it cannot be loaded or run there.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, answer = os.path.join(folder, "inputs.npz"), os.path.join(folder, "answer.npz")
        np.savez(given, **{f"input_{index}": array for index, array in enumerate(inputs)})
        _PROCESS.ask(task="model", objects=objects, path=_path(), file=os.path.abspath(file), inputs=given, answer=answer)
        return _arrays(answer)


def _path() -> list[str]:
    return [os.path.abspath(folder) for folder in sys.path]


def _arrays(file: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    with np.load(file) as arrays:
        named = dict(arrays)
    return tuple(
        [named[f"{what}_{index}"] for index in range(sum(name.startswith(what) for name in named))]
        for what in ("output", "weight")
    )
