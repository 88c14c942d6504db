"""Matching against brute force and scipy's assignment."""

import sys

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from kerasmith.objects.components import Overlaps, label_objects, overlaps
from kerasmith.objects.matching import detection_counts, match, object_counts
from tests.oracles import objects as oracle

pytestmark = pytest.mark.host("matches objects on the host")

THRESHOLDS = [0, 0.1, 0.25, 1 / 3, 0.5, 0.75]


def random_pairs(number=60, seed=0, largest=11):
    """Overlaps of coarse random masks, rich in ties, and the same by loops; every other prediction resembles the truth."""
    rng = np.random.default_rng(seed)
    for k in range(number):
        shape = rng.integers(1, largest, 2)
        truth, prediction = rng.random((2, *shape)) < rng.uniform(0.2, 0.7)
        if k % 2:
            prediction = truth ^ (prediction & (rng.random(shape) < 0.2))
        pairs = overlaps(label_objects(truth, 4)[0], label_objects(prediction, 4)[0])
        yield pairs, oracle.pair_ious(oracle.components(truth, 1), oracle.components(prediction, 1))


def graph(first, second, iou):
    return Overlaps(np.array(first), np.array(second), np.array(iou, "float64"))


def is_one_to_one(pairs, chosen):
    return all(len(set(side[chosen].tolist())) == len(chosen) for side in (pairs.first, pairs.second))


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_greedy_takes_the_best_pair_again_and_again(threshold):
    for pairs, ious in random_pairs():
        chosen = match(pairs, threshold)
        assert list(zip(pairs.first[chosen].tolist(), pairs.second[chosen].tolist())) == oracle.greedy(ious, threshold)


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_optimal_equals_trying_all_choices(threshold):
    tried = 0
    for pairs, ious in random_pairs(200, seed=1):
        if len(ious) > 16:
            continue
        chosen = match(pairs, threshold, "optimal")
        number, total = oracle.best_assignment(ious, threshold)
        assert is_one_to_one(pairs, chosen)
        assert (pairs.iou[chosen] > threshold).all()
        assert len(chosen) == number
        assert pairs.iou[chosen].sum() == pytest.approx(float(total), abs=1e-12)
        tried += number > 1
    assert tried > 10


@pytest.mark.parametrize("density", [0.02, 0.1, 0.5, 1.0])
def test_optimal_equals_scipy_on_large_graphs(density):
    # Denser than overlaps of images can be, so that long chains of changes are needed.
    rng = np.random.default_rng(int(100 * density))
    for size in ((1, 1), (7, 3), (40, 60), (70, 70)):
        first, second = np.nonzero(rng.random(size) < density)
        for iou in (rng.random(len(first)), rng.integers(1, 4, len(first)) / 10):
            chosen = match(graph(first, second, iou), 0.05, "optimal")
            value = np.zeros(size)
            kept = iou > 0.05
            value[first[kept], second[kept]] = 1000 + iou[kept]
            rows, columns = linear_sum_assignment(value, maximize=True)
            assert is_one_to_one(graph(first, second, iou), chosen)
            assert len(chosen) == (value[rows, columns] > 0).sum()
            assert 1000 * len(chosen) + iou[chosen].sum() == pytest.approx(value[rows, columns].sum(), abs=1e-6)


def test_optimal_finds_more_than_greedy():
    pairs = graph([0, 0, 1], [0, 1, 0], [0.4, 0.3, 0.3])
    assert match(pairs, 0.2).tolist() == [0]
    assert match(pairs, 0.2, "optimal").tolist() == [1, 2]
    assert match(pairs, 0.35, "optimal").tolist() == [0]


def test_without_scipy_only_optimal_matching_at_low_thresholds_fails(monkeypatch):
    for module in ("scipy", "scipy.sparse"):
        monkeypatch.setitem(sys.modules, module, None)
    pairs = graph([0, 0, 1], [0, 1, 0], [0.6, 0.3, 0.3])
    assert match(pairs, 0.2).tolist() == [0]
    assert match(pairs, 0.5, "optimal").tolist() == [0]
    with pytest.raises(ImportError, match=r"pip install scipy`, or `matching='greedy'"):
        match(pairs, 0.2, "optimal")


def test_ties_fall_to_the_first_objects():
    pairs = graph([1, 0, 0], [0, 1, 0], [0.25, 0.25, 0.25])
    assert match(pairs, 0.2).tolist() == [2]
    pairs = graph([0, 1, 1], [0, 0, 1], [0.25, 0.25, 0.25])
    assert match(pairs, 0.2).tolist() == [0, 2]


@pytest.mark.parametrize("how", ["greedy", "optimal"])
def test_the_threshold_itself_is_no_match(how):
    for iou in (0.1, 0.25, 0.3, 0.5, 0.7):
        assert match(graph([0], [0], [iou]), iou, how).size == 0
        assert match(graph([0], [0], [iou]), np.nextafter(iou, 0), how).tolist() == [0]
    # 1 of 3 pixels, and 3 of 10
    for size, shared in ((3, 1), (10, 3)):
        truth, prediction = np.ones((1, size), bool), np.arange(size)[None] < shared
        assert detection_counts(truth, prediction, shared / size, how).tolist() == [[0, 1, 1]]
        assert detection_counts(truth, prediction, shared / size - 1e-9, how).tolist() == [[1, 0, 0]]


def test_unknown_method_is_named():
    with pytest.raises(ValueError, match="how='hungarian'"):
        match(graph([], [], []), 0.7, "hungarian")


@pytest.mark.parametrize(
    ("shape", "connectivity", "order"),
    [((6, 9), None, 1), ((4, 8, 7), 4, 1), ((4, 8, 7), None, 2), ((3, 4, 5, 4), 18, 2), ((3, 4, 5, 4), 26, 3)],
)
@pytest.mark.parametrize("min_size", [0, 3])
def test_counts_equal_plain_loops(shape, connectivity, order, min_size):
    rng = np.random.default_rng(6)
    for threshold in (0.0, 0.2, 0.5, 0.8):
        truth = rng.random(shape) < 0.4
        prediction = truth ^ (rng.random(shape) < 0.1)
        expected = [oracle.detection_counts(t, p, threshold, order, min_size) for t, p in zip(truth, prediction)]
        counts = detection_counts(truth, prediction, threshold, connectivity=connectivity, min_size=min_size)
        assert counts.tolist() == expected


@pytest.mark.parametrize("edges", [(), (1,), (3,), (2, 4, 9)])
def test_counts_by_size_equal_plain_loops(edges):
    rng = np.random.default_rng(8)
    for threshold in (0.1, 0.5):
        truth = rng.random((6, 8, 7)) < 0.4
        prediction = truth ^ (rng.random(truth.shape) < 0.15)
        expected = [oracle.counts_by_size(t, p, threshold, 1, edges, 2) for t, p in zip(truth, prediction)]
        counts = object_counts(truth, prediction, threshold, connectivity=4, min_size=2, size_edges=edges)
        assert counts.tolist() == expected


def test_touching_instances_stay_apart():
    truth = np.array([[[5, 5, 9, 9], [5, 5, 9, 9], [0, 0, 0, 2]]])
    prediction = np.array([[[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]], bool)
    assert detection_counts(truth, prediction, 0.5, truth_is_labels=True).tolist() == [[1, 0, 2]]
    assert detection_counts(truth, prediction, 0.5, truth_is_labels=True, min_size=2).tolist() == [[1, 0, 1]]
    assert detection_counts(truth, prediction, 0.5).tolist() == [[0, 1, 1]]


@pytest.mark.parametrize("how", ["greedy", "optimal"])
def test_empty_batches_and_images(how):
    empty, full = np.zeros((2, 3, 3), bool), np.ones((2, 3, 3), bool)
    assert detection_counts(empty[:0], empty[:0], 0.2, how).shape == (0, 3)
    assert detection_counts(empty[:, :0], empty[:, :0], 0.2, how).tolist() == [[0, 0, 0]] * 2
    assert detection_counts(empty, empty, 0.2, how).tolist() == [[0, 0, 0]] * 2
    assert detection_counts(full, empty, 0.2, how).tolist() == [[0, 0, 1]] * 2
    assert detection_counts(empty, full, 0.2, how).tolist() == [[0, 1, 0]] * 2
    assert detection_counts(full, full, 0.2, how).tolist() == [[1, 0, 0]] * 2


def test_bad_masks_are_named_before_anything_is_counted():
    with pytest.raises(ValueError, match=r"\(2, 3, 3\) and \(2, 3, 4\)"):
        detection_counts(np.zeros((2, 3, 3), bool), np.zeros((2, 3, 4), bool), 0.5)
    with pytest.raises(ValueError, match="one of 4, 8"):
        detection_counts(np.zeros((0, 3, 3), bool), np.zeros((0, 3, 3), bool), 0.5, connectivity=6)
