"""Matches of segments with void and categories, against plain loops over sets of pixels."""

from fractions import Fraction

import numpy as np
import pytest

from kerasmith.objects.segment_quality import MASKED, component_quality, panoptic_quality, segment_counts
from tests.oracles import objects_panoptic as oracle

pytestmark = pytest.mark.host("counts segments on the host")

THINGS, STUFFS = [5, 2], [11]


@pytest.mark.parametrize("stretch", [1, 10_000_000])
def test_maps_equal_plain_loops(stretch):
    # Coarse random maps are full of ties with IoU 0.5 and with half a segment in the void.
    rng = np.random.default_rng(0)
    for _ in range(60):
        category = rng.choice([2, 5, 11, 3, MASKED], (2, 4, 5), p=[0.3, 0.2, 0.2, 0.2, 0.1])
        truth, prediction = np.stack([category, stretch * rng.integers(-1, 2, category.shape)], -1)
        prediction = np.where(rng.random((4, 5, 1)) < 0.4, prediction, truth)
        true, void_true = oracle.segments(truth, THINGS, STUFFS)
        predicted, void_predicted = oracle.segments(prediction, THINGS, STUFFS)
        expected = oracle.counts(true, predicted, void_true, void_predicted)
        rows = panoptic_quality(truth[None], prediction[None], THINGS, STUFFS, unknown_predictions="void")[0]
        expected = [[float(x) for x in expected.get(c, [0] * 4)] for c in (*THINGS, *STUFFS)]
        np.testing.assert_allclose(rows, expected, rtol=1e-12)


@pytest.mark.parametrize("threshold", ["0.7", "0.6", "0.25", "0"])
def test_other_thresholds_equal_plain_loops(threshold):
    rng = np.random.default_rng(1)
    for _ in range(40):
        # Of equally good matches the one that leaves a segment in the void would have fewer errors: no void where there is a
        # choice.
        category = rng.choice([2, 5, 11, 3 if float(threshold) > 0.5 else 5], (2, 4, 5), p=[0.3, 0.3, 0.2, 0.2])
        truth, prediction = np.stack([category, rng.integers(0, 3, category.shape)], -1)
        prediction = np.where(rng.random((4, 5, 1)) < 0.5, prediction, truth)
        true, void_true = oracle.segments(truth, THINGS, STUFFS)
        predicted, void_predicted = oracle.segments(prediction, THINGS, STUFFS)
        expected = oracle.counts(true, predicted, void_true, void_predicted, Fraction(threshold))
        rows = panoptic_quality(
            truth[None],
            prediction[None],
            THINGS,
            STUFFS,
            unknown_predictions="void",
            threshold=float(threshold),
            how="optimal",
        )[0]
        np.testing.assert_allclose(
            rows, [[float(x) for x in expected.get(c, [0] * 4)] for c in (*THINGS, *STUFFS)], rtol=1e-12
        )


def test_iou_of_one_half_is_no_match():
    assert segment_counts(np.array([1, 1]), np.array([0, 1])).tolist() == [[0, 0, 1, 1]]
    assert segment_counts(np.array([1, 1, 1]), np.array([0, 1, 1])).tolist() == [[2 / 3, 1, 0, 0]]
    # Void in the truth under a predicted segment does not count in the union.
    void = np.array([False, False, True, True])
    assert segment_counts(np.array([1, 1, 0, 0]), np.array([1, 1, 1, 1]), void).tolist() == [[1, 1, 0, 0]]
    assert segment_counts(np.array([1, 1, 0, 0]), np.array([0, 1, 1, 1]), void).tolist() == [[0, 0, 0, 1]]


def test_empty_images():
    none = np.zeros((2, 0, 3), int)
    assert component_quality(none, none).tolist() == [[0, 0, 0, 0]] * 2
    assert component_quality(none[:0], none[:0]).shape == (0, 4)
    assert panoptic_quality(none[..., :2], none[..., :2], [1], []).tolist() == [[[0, 0, 0, 0]]] * 2


def test_unknown_predictions_are_named_but_masked_ones_pass():
    truth = np.array([[[2, 0], [2, 0], [8, 0]]])
    prediction = np.array([[[2, 0], [MASKED, 0], [9, 0]]])
    with pytest.raises(ValueError, match=r"things \[5, 2\] and stuffs \[11\]. Received: categories \[9\]"):
        panoptic_quality(truth, prediction, THINGS, STUFFS)
    prediction[0, 2] = 2, 0
    assert panoptic_quality(truth, prediction, THINGS, STUFFS)[0].tolist() == [[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]
