"""Two processes of JAX with two devices each train to the numbers of one device, and end together."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

HERE = pathlib.Path(__file__).parent
ON = ("jax",)
pytestmark = pytest.mark.skipif(keras.backend.backend() != "jax", reason="jax.distributed is JAX's")
DEVICES = "--xla_force_host_platform_device_count=2"


def launched(script, *arguments):
    """The `CompletedProcess` of `kerasmith launch` with two processes of two devices."""
    variables = {**os.environ, "PYTHONPATH": f"src{os.pathsep}.", "OMP_NUM_THREADS": "1", "COLUMNS": "500"}
    variables["XLA_FLAGS"] = f"{variables.get('XLA_FLAGS', '')} {DEVICES}"
    variables.pop("KERAS_BACKEND", None)
    command = [sys.executable, "-m", "kerasmith", "launch", "--engine", "jax", "--processes", "2"]
    asked = [*command, str(HERE / script), *map(str, arguments)]
    return subprocess.run(asked, capture_output=True, text=True, timeout=400, env=variables, check=False)


@pytest.mark.heavy("two processes that each compile two models, beside one", on=ON, seconds=60)
@pytest.mark.parametrize("samples", [12, 14], ids=["even", "uneven"])
def test_the_numbers_of_one_device(tmp_path, samples):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    script = HERE / "jax_training.py"
    variables = {**os.environ, "PYTHONPATH": f"src{os.pathsep}.", "KERAS_BACKEND": "jax"}
    subprocess.run([sys.executable, str(script), str(tmp_path / "one"), str(samples)], check=True, timeout=400, env=variables)
    ended = launched("jax_training.py", tmp_path / "two", samples)
    assert ended.returncode == 0, ended.stderr
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
        ("unequal", 2, "has another number of epochs or batches than rank 0"),
        ("data", 2, "Rank 1 has another first batch than rank 0."),
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
