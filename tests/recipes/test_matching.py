import math

import numpy as np
import pytest

from kerasmith.recipes.matching import dice, match_objects


def loop_pairs(truth, predicted, threshold):
    pairs = []
    for t in sorted(set(truth.ravel()) - {0}):
        for p in sorted(set(predicted.ravel()) - {0}):
            both = np.sum((truth == t) & (predicted == p))
            if both / np.sum((truth == t) | (predicted == p)) > threshold:
                pairs.append((t, p))
    return pairs


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("threshold", [0.5, 0.75])
def test_equals_plain_loops(seed, threshold):
    rng = np.random.default_rng(seed)
    truth = np.kron(rng.integers(0, 6, (5, 5)), np.ones((4, 4), int)) * 10
    predicted = np.where(rng.random(truth.shape) < 0.2, rng.integers(0, 9, truth.shape), truth // 10)
    matching = match_objects(truth, predicted, iou_threshold=threshold)
    pairs = loop_pairs(truth, predicted, threshold)
    assert list(matching.pairs) == pairs
    assert set(matching.missed) == set(np.unique(truth)) - {0} - {t for t, _ in pairs}
    assert set(matching.invented) == set(np.unique(predicted)) - {0} - {p for _, p in pairs}


def test_half_an_overlap_is_not_enough():
    truth = np.array([1, 1, 0])
    assert match_objects(truth, np.array([1, 0, 0])).pairs == ()
    assert match_objects(truth, np.array([1, 1, 1])).pairs == ((1, 1),)


def test_two_nuclei_merged_into_one_cost_a_miss_or_more():
    truth = np.array([[1] * 10 + [2] * 10])
    merged = match_objects(truth, (truth > 0).astype(int))
    assert (len(merged.pairs), len(merged.missed), len(merged.invented)) == (0, 2, 1)
    assert match_objects(truth, truth).f1 == 1


def test_precision_recall_and_f1():
    matching = match_objects(np.array([1, 1, 2, 2, 3, 0]), np.array([5, 5, 0, 0, 0, 6]))
    assert (matching.precision, matching.recall, matching.f1) == (1 / 2, 1 / 3, 2 / 5)


def test_labels_need_no_background():
    assert match_objects(np.ones(4, int), np.ones(4, int)).f1 == 1


def test_nothing_at_all_is_nan():
    matching = match_objects(np.zeros((3, 3), int), np.zeros((3, 3), int))
    assert all(math.isnan(value) for value in (matching.precision, matching.recall, matching.f1))


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="one shape"):
        match_objects(np.zeros((3, 3), int), np.zeros((3, 4), int))
    with pytest.raises(ValueError, match=r"iou_threshold=0\.3"):
        match_objects(np.zeros(3, int), np.zeros(3, int), iou_threshold=0.3)


def test_dice_of_masks():
    a, b = np.array([1, 1, 1, 0, 0], bool), np.array([0, 1, 1, 1, 0], bool)
    assert dice(a, b) == pytest.approx(2 * 2 / 6)
    assert dice(a, a) == 1
    assert dice(a, ~a) == 0
    assert math.isnan(dice(a & ~a, a & ~a))
