"""Decisions of several processes, and their states in one checkpoint."""

import threading

import numpy as np
import pytest

from kerasmith.checkpoints import state_file
from kerasmith.checkpoints.state_of_processes import for_another_number, joined, of_rank
from kerasmith.distribution import ReplicaError, exchange

pytestmark = pytest.mark.host("plain data and threads, no backend")
COUNT = 3


class Threads:
    """The processes of a training, played by threads that meet."""

    brings_own_share, count = False, COUNT
    given, barrier = [None] * COUNT, threading.Barrier(COUNT, timeout=20)

    def __init__(self, rank):
        self.rank = rank

    def of_all(self, value):
        self.given[self.rank] = value
        self.barrier.wait()
        known = [*self.given]
        self.barrier.wait()
        return known

    def of_first(self, value):
        return self.of_all(value)[0]


def in_all(function, monkeypatch):
    """What a function of the processes gives, or raises, in each."""
    here, found = threading.local(), [None] * COUNT
    monkeypatch.setattr(exchange, "processes", lambda: here.of)

    def run(rank):
        here.of = Threads(rank)
        try:
            found[rank] = function(here.of)
        except Exception as problem:
            found[rank] = problem

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(COUNT)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    return found


def test_the_first_decides(monkeypatch):
    found = in_all(lambda here: exchange.first_decides(lambda: f"of {here.rank}"), monkeypatch)
    assert found == ["of 0"] * COUNT

    def fails(problem):
        return in_all(lambda here: exchange.first_decides(lambda: (_ for _ in ()).throw(problem)), monkeypatch)

    assert [(type(one), str(one)) for one in fails(ValueError("cannot be read"))] == [(ValueError, "cannot be read")] * COUNT
    own, *others = fails(OSError("is full"))
    assert type(own) is OSError
    assert [(type(one), str(one)) for one in others] == [(ReplicaError, "Rank 0 failed: OSError: is full")] * 2


def test_all_raise_where_one_does(monkeypatch):
    def second(here):
        if here.rank == 1:
            raise ValueError("has another model")

    found = in_all(lambda here: exchange.all_must_succeed(lambda: second(here)), monkeypatch)
    assert [str(one) for one in found] == [
        "Rank 1: has another model",
        "has another model",
        "Rank 1: has another model",
    ]
    assert in_all(lambda here: exchange.all_must_succeed(lambda: None), monkeypatch) == [None] * COUNT


def state_of(rank):
    return {
        "variables": {"kernel": np.arange(6.0), "total": np.float32([rank + 1]), "mean": np.float32([3 * rank])},
        "callbacks": [("Writer#0", {"file": "x"})] * (rank == 0) + [("Own#0", {"seen": rank})],
        "other": {},
        "own": {"dropout": np.arange(rank, rank + 3)},
        "batch": 2,
    }


def test_a_checkpoint_holds_the_states_of_all(monkeypatch, tmp_path):
    whole, *_ = in_all(lambda here: joined(state_of(here.rank), here), monkeypatch)
    # What is the same everywhere is there once.
    assert sum("kernel" in place for changed, _ in whole["differences"] for place, _ in changed) == 0
    state_file.write(tmp_path / "one", state_file.pack(whole))
    read = state_file.read(tmp_path / "one")
    for rank in range(COUNT):
        expected = state_of(rank)
        found = of_rank(read, rank)
        assert [*map(tuple, found["callbacks"])] == expected["callbacks"]
        for name in ("variables", "own"):
            for key, value in expected[name].items():
                np.testing.assert_array_equal(found[name][key], value)


def test_another_number_of_processes(monkeypatch):
    whole, *_ = in_all(lambda here: joined(state_of(here.rank), here), monkeypatch)
    first, second = (for_another_number(whole, rank, (["total"], ["mean"])) for rank in (0, 1))
    assert [one["variables"]["total"].tolist() for one in (first, second)] == [[6.0], [0.0]]
    assert [one["variables"]["mean"].tolist() for one in (first, second)] == [[3.0], [3.0]]
    assert [key for key, _ in second["callbacks"]] == ["Writer#0", "Own#0"]
