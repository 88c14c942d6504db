"""Workers of Ray train to the numbers of one process. Asked where Ray is installed: `pip install "kerasmith[ray]"`, 420 MB."""

import importlib.util
import os
import pathlib
import subprocess
import sys
import types

import keras
import pytest

from kerasmith.distribution import SetupError
from kerasmith.distribution._place import find_place
from tests.distribution.several_processes import alone_and_launched, assert_same, launched

ON = ("torch", "jax", "tensorflow")
EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
has_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
torch_only = pytest.mark.skipif(keras.backend.backend() != "torch", reason="starts workers of PyTorch")


@pytest.mark.host("a module of our own in its place")
def test_a_worker_that_was_not_told_where_to_meet(monkeypatch):
    worker = types.SimpleNamespace(get_context=lambda: types.SimpleNamespace(get_world_size=lambda: 2))
    monkeypatch.setitem(sys.modules, "ray.train", worker)
    with pytest.raises(SetupError, match="Ray started this process as one of 2"):
        find_place({}, "torch")
    with pytest.raises(SetupError, match="Ray started this process, rank 1"):
        find_place({"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "a"}, "jax")
    monkeypatch.setitem(sys.modules, "ray.train", types.SimpleNamespace())
    assert find_place({}, "torch") is None


@has_ray
@torch_only
@pytest.mark.heavy("starts Ray and two workers", on=ON, seconds=60)
def test_two_workers_train_to_the_numbers_of_one_process(tmp_path):
    _, one, two = alone_and_launched(tmp_path, "torch", "torch_training.py", 13, launcher="ray")
    for found in two:
        for name, expected in one.items():
            if isinstance(expected, dict):
                assert_same(found[name], expected, name)


@has_ray
@torch_only
@pytest.mark.heavy("starts Ray and two workers", on=ON, seconds=40)
@pytest.mark.parametrize(("case", "says"), [("killed", "its process has died"), ("raises", "KeyError: 'of the test'")])
def test_a_worker_that_fails_ends_all(case, says):
    ended = launched("ray", "failures.py", case)
    assert ended.returncode == 1
    assert f"error: rank 1 of 2 failed in epoch 0, step 3: {says}" in ended.stderr


@has_ray
@torch_only
@pytest.mark.heavy("starts Ray and its workers", on=ON, seconds=40)
@pytest.mark.parametrize(("name", "says"), [("ray_train", "report.html"), ("ray_tune", "chosen: ")])
def test_examples(tmp_path, name, says):
    environment = {**os.environ, "PYTHONPATH": os.path.abspath("src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", f"import runpy; runpy.run_path({str(EXAMPLES / name)!r} + '.py')['main'](epochs=2)"]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert says in ended.stdout
