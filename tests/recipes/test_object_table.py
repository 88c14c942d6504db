import numpy as np
import pytest

from kerasmith.recipes.matching import match_objects
from kerasmith.recipes.object_table import at_edge, object_table, of_size, touching

pytestmark = pytest.mark.host("writes a table of numbers")

TRUTH = np.array(
    [
        [1, 1, 0, 0, 0, 0],
        [0, 0, 0, 2, 2, 0],
        [0, 0, 0, 3, 3, 0],
        [0, 4, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
    ]
)


def test_groups():
    assert touching(TRUTH) == {2, 3}
    assert at_edge(TRUTH) == {1}
    assert of_size(TRUTH, 2, 3) == {1, 2, 3}
    assert of_size(TRUTH, 0, 2) == {4}


def test_diagonal_neighbours_do_not_touch():
    assert touching(np.array([[1, 0], [0, 2]])) == set()


def test_counts_by_group():
    predicted = TRUTH.copy()
    predicted[1, 3:5] = 0  # misses 2
    predicted[4, 5] = 9  # invents one, at the edge
    rows = object_table(TRUTH, predicted, match_objects(TRUTH, predicted), sizes=(("one", 0, 2), ("more", 2, 99)))
    assert {row["objects"]: (row["true"], row["found"], row["missed"], row["invented"]) for row in rows} == {
        "one": (1, 1, 0, 1),
        "more": (3, 2, 1, 0),
        "touching another one": (2, 1, 1, 0),
        "cut by the edge": (1, 1, 0, 1),
        "all": (4, 3, 1, 1),
    }


def test_sizes_partition_all_objects():
    rng = np.random.default_rng(0)
    truth = np.kron(rng.integers(0, 40, (8, 8)), np.ones((9, 9), int))
    *rows, total = object_table(truth, truth, match_objects(truth, truth))
    assert sum(row["true"] for row in rows[:3]) == total["true"] == len(np.unique(truth[truth > 0]))
