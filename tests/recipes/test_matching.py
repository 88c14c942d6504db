import math

import numpy as np
import pytest

from kerasmith.metrics import LesionDetection
from kerasmith.recipes.matching import match_objects
from kerasmith.recipes.nuclei_report import dice

pytestmark = pytest.mark.host("matches objects with NumPy")


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
    assert set(matching.false_negatives) == set(np.unique(truth)) - {0} - {t for t, _ in pairs}
    assert set(matching.false_positives) == set(np.unique(predicted)) - {0} - {p for _, p in pairs}


def test_half_an_overlap_is_not_enough():
    truth = np.array([1, 1, 0])
    assert match_objects(truth, np.array([1, 0, 0])).pairs == ()
    assert match_objects(truth, np.array([1, 1, 1])).pairs == ((1, 1),)


def test_two_nuclei_merged_into_one_cost_a_miss_or_more():
    truth = np.array([[1] * 10 + [2] * 10])
    merged = match_objects(truth, (truth > 0).astype(int))
    assert (len(merged.pairs), len(merged.false_negatives), len(merged.false_positives)) == (0, 2, 1)
    assert match_objects(truth, truth).pairs == ((1, 1), (2, 2))


def test_the_counts_are_those_of_the_metric():
    rng = np.random.default_rng(0)
    truth = np.kron(rng.integers(0, 30, (12, 12)), np.ones((4, 4), int))
    predicted = np.where(rng.random(truth.shape) < 0.25, 0, truth + (truth > 20))
    matching = match_objects(truth, predicted)
    metric = LesionDetection(instance_labels=True, instance_predictions=True)
    metric.update_state(truth[None, ..., None], predicted[None, ..., None])
    result = {name: float(value) for name, value in metric.result().items()}
    matched = len(matching.pairs)
    assert result["lesion_objects"] == matched + len(matching.false_negatives)
    assert result["lesion_predictions"] == matched + len(matching.false_positives)
    assert result["lesion_recall"] == pytest.approx(matched / result["lesion_objects"])
    assert matching.true_positives == tuple(true for true, _ in matching.pairs)


def test_labels_need_no_background():
    assert match_objects(np.ones(4, int), np.ones(4, int)).pairs == ((1, 1),)


def test_nothing_at_all():
    matching = match_objects(np.zeros((3, 3), int), np.zeros((3, 3), int))
    assert (matching.pairs, matching.false_negatives, matching.false_positives) == ((), (), ())


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="one shape"):
        match_objects(np.zeros((3, 3), int), np.zeros((3, 4), int))
    with pytest.raises(ValueError, match=r"iou_threshold=0\.3"):
        match_objects(np.zeros(3, int), np.zeros(3, int), iou_threshold=0.3)


def test_dice_of_masks():
    a, b = np.array([[1, 1, 1, 0, 0]], bool), np.array([[0, 1, 1, 1, 0]], bool)
    assert dice(a, b) == pytest.approx(2 * 2 / 6)
    assert dice(a, a) == 1
    assert dice(a, ~a) == 0
    assert math.isnan(dice(a & ~a, a & ~a))
