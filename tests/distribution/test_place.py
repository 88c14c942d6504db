"""Where a process stands, as its launcher says."""

import pytest

from kerasmith.distribution import SetupError
from kerasmith.distribution._place import find_place, first_host
from kerasmith.distribution.engines import first_process
from kerasmith.distribution.engines.identity import compare
from kerasmith.distribution.engines.watch import Watch

pytestmark = pytest.mark.host("environment variables and dictionaries")
TORCHRUN = {"RANK": "1", "WORLD_SIZE": "3", "LOCAL_RANK": "0", "MASTER_ADDR": "node", "MASTER_PORT": "1234"}


def test_one_process_has_no_place():
    assert find_place({}, "torch") is None
    assert find_place({"SLURM_NTASKS": "1", "SLURM_PROCID": "0"}, "torch") is None


def test_torchrun():
    place = find_place(TORCHRUN, "torch")
    assert (place.engine, place.rank, place.count, place.local_rank, place.address) == ("torch", 1, 3, 0, "node:1234")


def test_slurm():
    variables = {
        "SLURM_PROCID": "5",
        "SLURM_NTASKS": "8",
        "SLURM_LOCALID": "1",
        "SLURM_NODELIST": "gpu[07-09]",
        "SLURM_JOB_ID": "90123",
    }
    place = find_place(variables, "torch")
    assert (place.rank, place.count, place.local_rank, place.address) == (5, 8, 1, "gpu07:20123")


WORKERS = '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 1}}'


def test_workers_of_tensorflow():
    place = find_place({"TF_CONFIG": WORKERS}, "tensorflow")
    assert (place.engine, place.rank, place.count, place.address) == ("tensorflow", 1, 2, "a:1")
    assert find_place({"TF_CONFIG": WORKERS}, "torch") is None
    assert find_place({"TF_CONFIG": WORKERS.replace(', "b:2"', "").replace("1}", "0}")}, "tensorflow") is None


@pytest.mark.parametrize(
    ("variables", "backend", "says"),
    [
        (TORCHRUN, "jax", "Set KERAS_BACKEND=torch in every process"),
        ({**TORCHRUN, "RANK": "3"}, "torch", "RANK must be from 0 to below WORLD_SIZE"),
        ({**TORCHRUN, "RANK": "one"}, "torch", "RANK='one'"),
        ({"KERASMITH_ENGINE": "smoke"}, "torch", "engine='smoke'"),
        ({"TF_CONFIG": "{}"}, "tensorflow", "TF_CONFIG must be JSON such as"),
        (
            {"TF_CONFIG": WORKERS.replace('"worker":', '"chief": ["c:3"], "worker":')},
            "tensorflow",
            "must be of the type 'worker'",
        ),
    ],
)
def test_wrong_places(variables, backend, says):
    with pytest.raises(SetupError, match=says.replace("(", r"\(")):
        find_place(variables, backend)


def test_hosts():
    assert first_host("alone") == "alone"


def test_other_code_is_named():
    with pytest.raises(SetupError, match="Rank 1 runs another backend than rank 0: 'jax' instead of 'torch'"):
        compare([{"backend": "torch"}, {"backend": "jax"}])


class Said(dict):
    """A store."""

    def set(self, key, value):
        self[key] = value

    def check(self, keys):
        return all(key in self for key in keys)


def test_a_failure_reaches_the_others():
    store = Said()
    watches = [Watch(store, rank, 2) for rank in range(2)]
    watches[1].at("training", 2, 7)
    watches[1].fail(KeyError("lost"))
    watches[0]._look()
    assert watches[0].failure == "Rank 1 failed while it was training, epoch 2, step 7: KeyError: 'lost'"


def test_the_end_of_one_fails_only_those_that_wait():
    store = Said()
    watches = [Watch(store, rank, 2) for rank in range(2)]
    watches[1].tell("ended")
    watches[0]._look()
    assert watches[0].failure is None
    watches[0].waiting = True
    watches[0]._look()
    assert "Rank 1 has ended" in watches[0].failure


def test_of_many_each_asks_a_few_and_all_learn_of_a_failure():
    store, count = Counted(), 400
    watches = [Watch(store, rank, count) for rank in range(count)]
    watches[399].fail(KeyError("lost"))
    store.asked = 0
    for watch in watches:
        watch._look()
    # Two for each of eight, and two for what others have found.
    assert store.asked < 20 * count
    watches[50]._look()
    watches[5]._look()
    assert "KeyError: 'lost'" in watches[5].failure
    assert watches[50].failure == watches[398].failure


class Counted(Said):
    """Counts what it is asked."""

    asked = 0

    def check(self, keys):
        self.asked += 1
        return super().check(keys)

    def get(self, key):
        self.asked += 1
        return super().get(key)


def test_processes_that_wait_for_each_other(monkeypatch):
    monkeypatch.setattr("kerasmith.distribution.engines.watch.CIRCLE", -1)
    store = Said()
    watches = [Watch(store, rank, 2) for rank in range(2)]
    watches[0].wait_for("a sum")
    watches[1].wait_for("a copy")
    for _ in range(2):
        watches[1]._beat()
        watches[0]._look()
    assert watches[0].failure.startswith("All processes wait for each other")


def test_callbacks_of_the_first_process():
    class Own:
        pass

    class Refused:
        processes = "none"

    class First:
        processes = "first"

    assert len(first_process.callbacks_of([Own(), First()], 0)) == 2
    assert [type(one) for one in first_process.callbacks_of([Own(), First()], 1)] == [Own]
    with pytest.raises(SetupError, match="Refused does not train with several processes: "):
        first_process.callbacks_of([Refused()], 0)
