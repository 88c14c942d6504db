"""Several processes of which one is killed, started again, end bit for bit as if none had been."""

import json

import keras
import numpy as np
import pytest

from tests.distribution.several_processes import alone, launched

ENGINE = keras.backend.backend()
ON = ("torch", "jax", "tensorflow")


def found(folder, rank):
    return json.loads((folder / f"{rank}.json").read_text())


def launch(folder, *kill, **variables):
    folder.mkdir(exist_ok=True)
    return launched(ENGINE, "resumed_training.py", folder, *kill, **variables)


@pytest.mark.heavy("five launches of two processes", on=ON, seconds=110)
def test_a_killed_process(tmp_path):
    assert launch(tmp_path / "whole").returncode == 0
    killed = launch(tmp_path / "killed", "on_train_batch_end", 1, 9)
    assert "error: rank 1 of 2 failed in epoch 1, step 2: it was ended by SIGKILL" in killed.stderr
    again = launch(tmp_path / "killed", "on_train_batch_begin", 0, 8)
    assert "Resume: goes on at epoch 2, step 3" in again.stdout
    assert again.returncode == 1, again.stderr
    paused = launch(tmp_path / "killed", "pauses", 1, 3)
    assert paused.returncode == 0, paused.stderr
    assert len(found(tmp_path / "killed", 0)["losses"]) < 24
    ended = launch(tmp_path / "killed")
    assert ended.returncode == 0, ended.stderr
    for rank in (0, 1):
        assert found(tmp_path / "killed", rank) == found(tmp_path / "whole", rank)


@pytest.mark.heavy("a launch of two processes, and two trainings", on=ON, seconds=60)
def test_one_process_goes_on_where_two_were(tmp_path):
    variables = {"TEST_PLAIN": "1"}
    launch(tmp_path / "killed", "on_train_batch_end", 1, 10, **variables)
    for name in ("killed", "whole"):
        (tmp_path / name).mkdir(exist_ok=True)
        alone(ENGINE, "resumed_training.py", tmp_path / name, **variables)
    resumed, whole = found(tmp_path / "killed", 0), found(tmp_path / "whole", 0)
    assert (tmp_path / "killed" / "resume" / "step-000000008.state").exists() or len(resumed["losses"]) == 24
    np.testing.assert_allclose(resumed["losses"], whole["losses"], atol=1e-6)
    for name, values in whole["history"].items():
        np.testing.assert_allclose(resumed["history"][name], values, atol=1e-6, err_msg=name)
    for one, other in zip(resumed["weights"], whole["weights"], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.heavy("a launch of two processes", on=ON, seconds=30)
def test_a_directory_that_takes_no_files(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "resume").write_text("a file")
    ended = launch(tmp_path / "run")
    assert ended.returncode == 1
    assert "error: rank 0 of 2 failed" in ended.stderr
    assert "is a file. Choose a directory" in ended.stderr
