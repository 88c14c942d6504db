"""Components and matching against SciPy: labels, overlaps, optimal assignment, and greedy choice by plain loops."""

import itertools

import numpy as np
import pytest
from scipy import ndimage
from scipy.optimize import linear_sum_assignment

from kerasmith.numerics.components import Overlaps, label_objects, overlaps
from kerasmith.numerics.matching import detection_counts, match


@pytest.mark.parametrize(
    ("shape", "connectivity", "order"),
    [((40,), None, 1), ((30, 31), None, 2), ((30, 31), 4, 1), ((30, 31), 8, 2)]
    + [((12, 13, 14), c, o) for c, o in ((None, 3), (6, 1), (18, 2), (26, 3))],
)
@pytest.mark.parametrize("min_size", [0, 5])
def test_labels_are_those_of_scipy(shape, connectivity, order, min_size):
    mask = np.random.default_rng(0).random(shape) < 0.35
    mask.flags.writeable = False
    expected, count = ndimage.label(mask, ndimage.generate_binary_structure(len(shape), order))
    sizes = np.bincount(expected.ravel())
    kept = [i for i in range(1, count + 1) if sizes[i] >= min_size]
    renumbered = np.zeros_like(expected)
    for new, old in enumerate(kept, 1):
        renumbered[expected == old] = new
    labels, got = label_objects(mask, connectivity, min_size)
    assert got == len(kept)
    np.testing.assert_array_equal(labels, renumbered)
    flipped, _ = label_objects(mask[::-1], connectivity, min_size)  # not contiguous
    np.testing.assert_array_equal(flipped > 0, labels[::-1] > 0)


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (3, 0, 2), (0,)])
def test_an_image_without_pixels_has_no_objects(shape):
    labels, count = label_objects(np.zeros(shape, bool))
    assert labels.shape == shape
    assert count == 0


@pytest.mark.parametrize(("dimensions", "connectivity"), [(2, 6), (2, 26), (3, 4), (3, 8), (4, None)])
def test_connectivity_must_fit(dimensions, connectivity):
    with pytest.raises(ValueError, match=r"connectivity|1-D, 2-D and 3-D"):
        label_objects(np.zeros((3,) * dimensions, bool), connectivity)


def test_overlaps_are_intersection_over_union():
    rng = np.random.default_rng(1)
    a, n_a = label_objects(rng.random((50, 50)) < 0.5, 4)
    b, n_b = label_objects(rng.random((50, 50)) < 0.5, 4)
    pairs = overlaps(a, b)
    got = {(i, j): iou for i, j, iou in zip(pairs.first.tolist(), pairs.second.tolist(), pairs.iou.tolist())}
    expected = {}
    for i, j in itertools.product(range(n_a), range(n_b)):
        shared = ((a == i + 1) & (b == j + 1)).sum()
        if shared:
            expected[i, j] = shared / ((a == i + 1) | (b == j + 1)).sum()
    assert got == pytest.approx(expected)
    assert list(got) == sorted(got)


def random_pairs(rng, first, second, density):
    table = np.where(rng.random((first, second)) < density, rng.random((first, second)), 0)
    i, j = np.nonzero(table)
    return table, Overlaps(i, j, table[i, j])


@pytest.mark.parametrize("seed", range(25))
def test_optimal_matching_is_that_of_scipy(seed):
    rng = np.random.default_rng(seed)
    table, pairs = random_pairs(rng, *rng.integers(1, 14, 2), rng.choice([0.15, 0.4, 0.9]))
    threshold = 0.2
    # A constant above any sum of IoU makes the number of matches come first.
    value = np.where(table > threshold, 100 + table, 0)
    rows, columns = linear_sum_assignment(value, maximize=True)
    expected = value[rows, columns]
    expected = expected[expected > 0]
    chosen = match(pairs, threshold, "optimal")
    assert len(chosen) == len(expected)
    assert pairs.iou[chosen].sum() == pytest.approx((expected - 100).sum())
    assert len(set(pairs.first[chosen])) == len(set(pairs.second[chosen])) == len(chosen)


@pytest.mark.parametrize("seed", range(5))
def test_greedy_matching_takes_the_largest_first(seed):
    table, pairs = random_pairs(np.random.default_rng(seed), 9, 11, 0.5)
    expected = []
    while table.max() > 0.3:
        i, j = np.unravel_index(table.argmax(), table.shape)
        expected.append((i, j))
        table[i], table[:, j] = 0, 0
    chosen = match(pairs, 0.3)
    assert sorted(expected) == list(zip(pairs.first[chosen], pairs.second[chosen]))


def test_a_match_must_exceed_the_threshold():
    truth, prediction = np.zeros((2, 1, 4, 4), bool)
    truth[0, :2, :2], prediction[0, :2, :1] = True, True  # IoU exactly 0.5
    assert detection_counts(truth, prediction, 0.5).tolist() == [[0, 1, 1]]
    assert detection_counts(truth, prediction, 0.49).tolist() == [[1, 0, 0]]
