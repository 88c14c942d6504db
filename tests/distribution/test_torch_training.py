"""Two and three processes of PyTorch train to the numbers of one, and end together."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from tests.distribution.several_processes import HERE, assert_same, launched
from tests.support import fresh_process

ON = ("torch", "jax", "tensorflow")
pytestmark = pytest.mark.skipif(keras.backend.backend() != "torch", reason="torch.distributed is PyTorch's")


def trained(folder, count, script, *arguments):
    """What each of `count` processes found."""
    code = (HERE / script).read_text()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = {"WORLD_SIZE": count, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port} if count > 1 else {}
    folder.mkdir()

    def run(rank):
        variables = {name: str(value) for name, value in ({**place, "RANK": rank} if place else {}).items()}
        fresh_process.run(code, folder, *arguments, timeout=400, OMP_NUM_THREADS="1", **variables)
        return json.loads((folder / f"{rank}.json").read_text())

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.heavy("several processes that each train eight models", on=ON, seconds=60)
@pytest.mark.parametrize(("count", "samples"), [(2, 12), (3, 13)], ids=["even", "uneven"])
def test_the_numbers_of_one_process(tmp_path, count, samples):
    # 13 samples in batches of 4: the last has one, and two processes of three have none.
    (one,) = trained(tmp_path / "one", 1, "torch_training.py", samples)
    several = trained(tmp_path / "several", count, "torch_training.py", samples)
    for found in several:
        assert found["predicted"] == samples
        assert found["normalised"] == several[0]["normalised"]
        assert np.isfinite(np.concatenate([np.ravel(array) for array in found["normalised"]])).all()
        for name, expected in one.items():
            if isinstance(expected, dict):
                agree(found[name], expected, name)


def agree(found, expected, name):
    # Float16 rounds the gradient of a part of the batch to 5e-4 of itself.
    assert_same(found, expected, name, atol=5e-5 if name == "half precision" else 5e-6)


@pytest.mark.heavy("two processes that each train ten models", on=ON, seconds=60)
def test_every_kind_of_data_and_callback(tmp_path):
    (one,) = trained(tmp_path / "one", 1, "torch_data.py")
    for found in trained(tmp_path / "two", 2, "torch_data.py"):
        for name, expected in one.items():
            agree(found[name], expected, name)
    # Both processes were told to write there, and the first did.
    files = {path.relative_to(tmp_path / "one") for path in (tmp_path / "one" / "runs").rglob("*") if path.is_file()}
    assert len(files) == len([path for path in (tmp_path / "two" / "runs").rglob("*") if path.is_file()])
    lines = (tmp_path / "two" / "runs" / "log.csv").read_text().splitlines()
    assert len(lines) == 4


@pytest.mark.heavy("two processes beside one that train three models", on=ON, seconds=40)
def test_the_numbers_that_a_guard_finds(tmp_path):
    (one,) = trained(tmp_path / "one", 1, "guarded_training.py")
    two = trained(tmp_path / "two", 2, "guarded_training.py")
    for found in two:
        for name, expected in one.items():
            assert found[name]["findings"] == expected["findings"]
            agree(found[name], expected, name)
        # The second has it in its share.
        assert [one[:3] for one in found["own share"]["findings"]] == [["input", "x", 4]]
        assert "It came up in the share of rank 1" in found["own share"]["findings"][0][3]
    assert two[0]["own share"]["weights"] == two[1]["own share"]["weights"]
    files = [{path.name for path in (tmp_path / name / "found").iterdir()} for name in ("one", "two")]
    assert files[0] == files[1] == {"epoch_1_batch_4.npz", "epoch_1_batch_4.json"}


@pytest.mark.heavy("each case starts processes", on=ON, seconds=25)
@pytest.mark.parametrize(
    ("case", "status", "says"),
    [
        ("killed", 1, "error: rank 1 of 2 failed in epoch 0, step 3: it was ended by SIGKILL"),
        ("leaves", 1, "error: rank 1 of 2 failed in epoch 0, step 3: SystemExit: 0"),
        ("unequal", 1, "The processes do different things"),
        ("data", 2, "error: Rank 1 has another first batch of epoch 0 than rank 0."),
        ("few", 2, "error: There are more processes than samples in a batch."),
    ],
)
def test_all_end_when_one_does(case, status, says):
    ended = launched("torch", "failures.py", case)
    assert ended.returncode == status, ended.stderr
    assert says in ended.stderr
    assert status == 1 or "Traceback" not in ended.stderr
    assert "steps" not in ended.stdout


@pytest.mark.heavy("starts two processes", on=ON, seconds=25)
def test_all_stop_with_one():
    ended = launched("torch", "failures.py", "stops")
    assert ended.returncode == 0, ended.stderr
    # The first process alone shows its epochs.
    assert [line for line in ended.stdout.splitlines() if "Epoch" in line] == ["[0] Epoch 1/2"]
    assert {"[0] steps 4", "[1] steps 4"} <= {*ended.stdout.splitlines()}
