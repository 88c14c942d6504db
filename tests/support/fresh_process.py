"""Runs Python code in a process of its own on the same backend."""

import atexit
import functools
import multiprocessing
import os
import pathlib
import subprocess
import sys
import tempfile

import keras

from tests.support import forked_process

# Forking is safe where the system's libraries allow it; elsewhere each process is a new interpreter.
FORKS = sys.platform == "linux"
# What `import keras` imports beside the library of the backend: most of its time. What is missing is left out.
_LIBRARIES = ("jax", "sklearn.base", "matplotlib.pyplot", "h5py", "optree", "tests.support.forked_process")
BESIDE_KERAS = {"torch": ("torch._dynamo", *_LIBRARIES), "jax": _LIBRARIES, "tensorflow": _LIBRARIES}


def run(code, *arguments, timeout=240, **environment):
    """Standard output of `python -c code *arguments`; fails with the process's own error output.

    The process is a fork of one that has imported the library of the backend and what else Keras imports, which takes longer
    than most of what is asked there, but neither Keras (TensorFlow does, itself) nor anything of ours.
    """
    if not FORKS or any(name.startswith("PYTHON") for name in environment):
        return bare(code, *arguments, timeout=timeout, **environment)
    with tempfile.TemporaryDirectory() as folder:
        output, errors = pathlib.Path(folder, "output"), pathlib.Path(folder, "errors")
        asked = (code, [str(one) for one in arguments], _environment(environment), os.getcwd(), str(output), str(errors))
        process = _forks().Process(target=forked_process.run, args=asked)
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(code, timeout, output.read_text(), errors.read_text())
        assert process.exitcode == 0, errors.read_text(errors="replace")[-4000:]
        return output.read_text()


def bare(code, *arguments, timeout=240, **environment):
    """The same in a new interpreter, for what must find nothing imported."""
    process = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=_environment(environment),
        check=False,
    )
    assert process.returncode == 0, process.stderr[-4000:]
    return process.stdout


def _environment(more):
    return {
        **os.environ,
        "KERAS_BACKEND": keras.backend.backend(),
        "PYTHONPATH": os.pathsep.join([os.path.abspath("src"), os.getcwd()]),
        **more,
    }


@functools.cache
def _forks():
    """The process that is forked, started when it is first asked for."""
    from multiprocessing import forkserver

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([keras.backend.backend(), *BESIDE_KERAS[keras.backend.backend()]])
    # Its time and that of its forks counts as this process's, as it would without it.
    atexit.register(forkserver._forkserver._stop)
    return context
