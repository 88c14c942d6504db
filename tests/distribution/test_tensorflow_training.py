"""Two workers of TensorFlow train to the numbers of one process, and end together."""

import keras
import pytest

from tests.distribution.several_processes import alone_and_launched, assert_same, launched

ON = ("tensorflow",)
pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="its workers are TensorFlow's")


@pytest.mark.heavy("two processes that each compile two models, beside one", on=ON, seconds=60)
def test_the_numbers_of_one_process(tmp_path):
    """13 samples in batches of 4: the last leaves a worker without samples."""
    ended, one, several = alone_and_launched(tmp_path, "tensorflow", "tensorflow_training.py", 13)
    assert "[0] Epoch 1/4" in ended.stdout
    assert "[1] Epoch" not in ended.stdout
    assert [path.name for path in (tmp_path / "two").glob("*.h5")] == ["0.weights.h5"]
    for two in several:
        for name, expected in one.items():
            assert_same(two[name], expected, name)


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
    ended = launched("tensorflow", "failures.py", case)
    assert ended.returncode == status, ended.stderr
    assert says in ended.stderr
    assert "steps" not in ended.stdout


@pytest.mark.heavy("starts two processes", on=ON, seconds=30)
def test_all_stop_with_one():
    ended = launched("tensorflow", "failures.py", "stops")
    assert ended.returncode == 0, ended.stderr
    assert {"[0] steps 4", "[1] steps 4"} <= {*ended.stdout.splitlines()}
