"""A second Python process that has never seen a component: what is saved here is loaded there.

It is started once, in the background, and stays: importing Keras takes seconds. See `fresh_process_server`.
"""

import atexit
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np

from kerasmith.checks.engine.child_environment import child_environment
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
        said: the exception there, as text.
        stage: "import", "load" or "run".
    """

    def __init__(self, said, stage):
        super().__init__(said)
        self.said, self.stage = said, stage


class FreshProcess:
    """The child and the conversation with it."""

    def __init__(self):
        self._child, self._lines, self._ready, self._asked = None, None, False, 0

    def start(self):
        """Starts the child if none runs; does not wait for it."""
        if self._child is not None and self._child.poll() is None:
            return
        # An accelerator is in use by this process: the child must not take the rest of its memory.
        environment = child_environment(backend(), XLA_PYTHON_CLIENT_PREALLOCATE="false", TF_FORCE_GPU_ALLOW_GROWTH="true")
        # -P: a file of the user's named `queue.py` must not stand in for the standard library.
        command = [sys.executable, "-P", "-W", "ignore", "-m", "kerasmith.checks.harness.fresh_process_server"]
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True
        )
        self._lines, self._ready = queue.Queue(), False
        threading.Thread(target=_read, args=(self._child.stdout, self._lines), daemon=True).start()

    def stop(self):
        """Ends the child."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            pipe.close()

    def ask(self, seconds=ANSWER, **request):
        """The answer to a request.

        Raises:
            LoadFailed: if the child raised.
            Inconclusive: if it did not answer in time or ended; the next request starts another.
        """
        self.start()
        self._wait_until_ready()
        self._asked += 1
        try:
            self._child.stdin.write(json.dumps({"id": self._asked, **request}) + "\n")
            self._child.stdin.flush()
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

    def _wait_until_ready(self):
        """Waits for the child's first line; one that is late goes on starting, for the next request."""
        if self._ready:
            return
        try:
            self._answer_to(None, START)
        except Inconclusive:
            if self._child.poll() is not None:
                self.stop()
            raise
        self._ready = True

    def _answer_to(self, id, seconds):
        end = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise Inconclusive(f"the fresh process did not answer within {seconds:g} s") from None
            if line is None:
                raise Inconclusive("the fresh process ended")
            answer = json.loads(line)
            if answer["id"] == id:
                return answer


_PROCESS = FreshProcess()
atexit.register(_PROCESS.stop)


def start_in_background():
    """Starts the child so that it is ready when it is asked."""
    _PROCESS.start()


def loaded_component_outputs(objects, text, case):
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


def loaded_model_outputs(objects, file, inputs):
    """([output], [weight]) of a `.keras` file in the fresh process, on a list of arrays.

    Raises:
        LoadFailed: if it cannot be loaded or run there.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, answer = os.path.join(folder, "inputs.npz"), os.path.join(folder, "answer.npz")
        np.savez(given, **{f"input_{index}": array for index, array in enumerate(inputs)})
        _PROCESS.ask(task="model", objects=objects, path=_path(), file=os.path.abspath(file), inputs=given, answer=answer)
        return _arrays(answer)


def _path():
    return [os.path.abspath(folder) for folder in sys.path]


def _arrays(file):
    with np.load(file) as arrays:
        named = dict(arrays)
    return tuple(
        [named[f"{what}_{index}"] for index in range(sum(name.startswith(what) for name in named))]
        for what in ("output", "weight")
    )


def _read(pipe, lines):
    """Puts every line into the queue, None at the end."""
    try:
        for line in pipe:
            lines.put(line)
    except ValueError:
        pass
    lines.put(None)
