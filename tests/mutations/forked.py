"""Runs pytest in a copy of this process that has the large libraries imported, which takes longer than most tests."""

import contextlib
import importlib
import os
import pathlib
import signal
import sys
import time

from scripts import gate

LIBRARIES = {
    "torch": ("torch",),
    "jax": ("jax",),
    "tensorflow": ("tensorflow",),
}
# What the oracles stand on; whichever is missing is left out.
ORACLES = (
    "scipy.ndimage",
    "scipy.stats",
    "skimage.measure",
    "sklearn.metrics",
    "torch",
    "optax",
    "monai.losses",
    "kornia.losses",
)


def import_libraries(backend):
    """Imports what no fault changes: neither our own modules nor tests."""
    os.environ.update(gate.variables(backend))
    sys.dont_write_bytecode = False
    for name in (backend, *LIBRARIES):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def run(tree, arguments, seconds, log):
    """Exit status of `pytest *arguments` within a tree, None if it took longer; writes what it printed to `log`."""
    process = os.fork()
    if process == 0:
        status = 70
        try:
            os.setsid()
            status = _child(pathlib.Path(tree), arguments, log)
        finally:
            os._exit(status)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return None


def _child(tree, arguments, log):
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.chdir(tree)
    for name in [name for name in sys.modules if name.split(".")[0] in ("tests", "kerasmith", "scripts")]:
        del sys.modules[name]
    here = [str(tree / "src"), str(tree)]
    sys.path[:0] = here
    os.environ["PYTHONPATH"] = os.pathsep.join(here)
    import pytest

    status = int(pytest.main(["-p", "no:cacheprovider", *arguments]))
    sys.stdout.flush()
    return status
