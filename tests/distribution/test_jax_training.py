"""Two processes of JAX with two devices each train to the numbers of one device, and end together."""

import os

import keras
import pytest

from tests.distribution import several_processes
from tests.distribution.several_processes import alone_and_launched, assert_same

ON = ("jax",)
pytestmark = pytest.mark.skipif(keras.backend.backend() != "jax", reason="jax.distributed is JAX's")
DEVICES = {"XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=2"}


def launched(script, *arguments):
    """Two processes of two devices."""
    return several_processes.launched("jax", script, *arguments, **DEVICES)


@pytest.mark.heavy("two processes that each compile two models, beside one", on=ON, seconds=60)
@pytest.mark.parametrize("samples", [12, 14], ids=["even", "uneven"])
def test_the_numbers_of_one_device(tmp_path, samples):
    _, one, several = alone_and_launched(tmp_path, "jax", "jax_training.py", samples, **DEVICES)
    for two in several:
        for name, expected in one.items():
            assert_same(two[name], expected, name)


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
