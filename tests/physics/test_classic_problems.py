"""Small ones of the classic problems, trained in `fit` and by `polish`: one source on the three backends."""

import pytest

from benchmarks.physics.ours import Ours
from benchmarks.physics.problems import load


@pytest.mark.heavy("trains a network with derivatives", on=("tensorflow", "jax"), seconds=10)
def test_poisson():
    learned = Ours(load("poisson_1d"), learning_rate=5e-3)
    learned.train(100)
    assert learned.error()["error"] < 1
    learned.finish(200)
    assert learned.error()["error"] < 1e-3


@pytest.mark.heavy("trains for minutes", seconds=20)
@pytest.mark.parametrize(("name", "errors"), [("diffusion", {"error": 2e-2, "c": 2e-2}), ("laplace_disk", {"error": 1e-2})])
def test_an_inverse_problem_and_a_disk(name, errors):
    learned = Ours(load(name), learning_rate=5e-3)
    learned.train(200)
    learned.finish(300)
    found = learned.error()
    assert all(found[what] < most for what, most in errors.items()), found
