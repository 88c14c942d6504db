"""Scripts that `kerasmith launch` starts, and what they found beside one process."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
_VARIABLES = {"PYTHONPATH": f"src{os.pathsep}.", "OMP_NUM_THREADS": "1", "COLUMNS": "500", "CUDA_VISIBLE_DEVICES": ""}


def launched(engine, script, *arguments, **variables):
    """The `CompletedProcess` of `kerasmith launch` with two processes."""
    command = [sys.executable, "-m", "kerasmith", "launch", "--engine", engine, "--processes", "2"]
    environment = {**os.environ, **_VARIABLES, **variables}
    environment.pop("KERAS_BACKEND", None)
    asked = [*command, str(HERE / script), *map(str, arguments)]
    return subprocess.run(asked, capture_output=True, text=True, timeout=400, env=environment, check=False)


def alone(engine, script, *arguments, **variables):
    """Runs a script in one process."""
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    environment = {**os.environ, **_VARIABLES, "KERAS_BACKEND": engine, **variables}
    subprocess.run(command, check=True, timeout=400, env=environment, capture_output=True)


def alone_and_launched(folder, engine, script, samples, launcher=None, **variables):
    """(process, what one found, [what each of two found]) of a script that takes FOLDER SAMPLES and writes RANK.json.

    `launcher` is the engine that is launched, by default that of the backend.
    """
    for name in ("one", "two"):
        (folder / name).mkdir()
    alone(engine, script, folder / "one", samples)
    ended = launched(launcher or engine, script, folder / "two", samples, **variables)
    assert ended.returncode == 0, ended.stderr
    found = [json.loads((folder / place).read_text()) for place in ("one/0.json", "two/0.json", "two/1.json")]
    return ended, found[0], found[1:]


def assert_same(found, expected, name, atol=5e-6):
    """Weights, history and evaluation of one training."""
    np.testing.assert_allclose(found["weights"], expected["weights"], atol=atol, rtol=1e-5, err_msg=name)
    for kind in ("history", "evaluated"):
        assert found.get(kind, {}).keys() == expected.get(kind, {}).keys()
        for column, values in expected.get(kind, {}).items():
            np.testing.assert_allclose(found[kind][column], values, rtol=2e-5, atol=1e-6, err_msg=f"{name}: {column}")
