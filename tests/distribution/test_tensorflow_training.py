"""Two workers of TensorFlow train to the numbers of one process, and end together."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

HERE = pathlib.Path(__file__).parent
ON = ("tensorflow",)
pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="its workers are TensorFlow's")
VARIABLES = {**os.environ, "PYTHONPATH": f"src{os.pathsep}.", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def launched(script, *arguments):
    """The `CompletedProcess` of `kerasmith launch` with two processes."""
    variables = {name: value for name, value in VARIABLES.items() if name != "KERAS_BACKEND"}
    command = [sys.executable, "-m", "kerasmith", "launch", "--engine", "tensorflow", "--processes", "2"]
    asked = [*command, str(HERE / script), *map(str, arguments)]
    return subprocess.run(asked, capture_output=True, text=True, timeout=400, env=variables, check=False)


@pytest.mark.heavy("two processes that each compile two models, beside one", on=ON, seconds=60)
def test_the_numbers_of_one_process(tmp_path):
    """13 samples in batches of 4: the last leaves a worker without samples."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    command = [sys.executable, str(HERE / "tensorflow_training.py"), str(tmp_path / "one"), "13"]
    subprocess.run(command, check=True, timeout=400, env={**VARIABLES, "KERAS_BACKEND": "tensorflow"}, capture_output=True)
    ended = launched("tensorflow_training.py", tmp_path / "two", 13)
    assert ended.returncode == 0, ended.stderr
    assert "[0] Epoch 1/4" in ended.stdout
    assert "[1] Epoch" not in ended.stdout
    assert [path.name for path in (tmp_path / "two").glob("*.h5")] == ["0.weights.h5"]
    one = json.loads((tmp_path / "one" / "0.json").read_text())
    for rank in range(2):
        two = json.loads((tmp_path / "two" / f"{rank}.json").read_text())
        for name, expected in one.items():
            np.testing.assert_allclose(two[name]["weights"], expected["weights"], atol=5e-6, rtol=1e-5, err_msg=name)
            for kind in ("history", "evaluated"):
                assert two[name][kind].keys() == expected[kind].keys()
                for column, values in expected[kind].items():
                    np.testing.assert_allclose(two[name][kind][column], values, rtol=2e-5, atol=1e-6, err_msg=column)


@pytest.mark.heavy("each case starts two processes", on=ON, seconds=30)
@pytest.mark.parametrize(
    ("case", "status", "says"),
    [
        ("killed", 1, "error: rank 1 of 2 failed in epoch 0, step 3: it was ended by SIGKILL"),
        ("unequal", 2, "A generator does not train in several processes of TensorFlow"),
        ("normalised", 2, "`BatchNormalization` does not train in several processes of TensorFlow"),
        ("data", 2, "Rank 1 has other data than rank 0."),
    ],
)
def test_all_end_when_one_does(case, status, says):
    ended = launched("failures.py", case)
    assert ended.returncode == status, ended.stderr
    assert says in ended.stderr
    assert "steps" not in ended.stdout


@pytest.mark.heavy("starts two processes", on=ON, seconds=30)
def test_all_stop_with_one():
    ended = launched("failures.py", "stops")
    assert ended.returncode == 0, ended.stderr
    assert {"[0] steps 4", "[1] steps 4"} <= {*ended.stdout.splitlines()}
