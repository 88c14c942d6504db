"""Candidates, bins of their scores, and the curve, against plain loops and NumPy."""

import numpy as np
import pytest
from keras import ops

from kerasmith.objects import free_response
from kerasmith.objects.components import label_objects
from tests.oracles import objects_froc as oracle

pytestmark = pytest.mark.formula("operations on tensors beside an oracle")


@pytest.mark.parametrize("hit", free_response.HITS)
@pytest.mark.parametrize("shape", [(24,), (9, 10), (5, 6, 4)])
def test_candidates_equal_plain_loops(hit, shape):
    rng = np.random.default_rng(0)
    for _ in range(20):
        truth = rng.random(shape) < 0.3
        probability = rng.integers(0, 8, shape) / 8  # full of ties
        best, false = free_response.scored_candidates(label_objects(truth)[0], probability, 0.4, hit, 0.2, None, 2)
        expected = oracle.scores([truth], [probability], 0.4, len(shape), hit, 0.2)
        small = oracle.candidates(probability, 0.4, len(shape), 2)
        kept = [0.0] * len(best)
        targets = oracle.components(truth, len(shape))
        alarms = []
        for score, pixels in small:
            struck = [k for k, target in enumerate(targets) if oracle.hits(pixels, target, probability, hit, 0.2)]
            for k in struck:
                kept[k] = max(kept[k], score)
            alarms += [] if struck else [score]
        assert len(best) == len(expected[0])
        assert np.where(best > 0, best, 0).tolist() == kept
        assert sorted(false.tolist()) == sorted(alarms)


@pytest.mark.parametrize("threshold", [0, 0.01, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("bins", [2, 7, 2048])
def test_bins_keep_the_order_and_edges_are_their_lowest_scores(threshold, bins):
    scores = np.sort(np.append(np.random.default_rng(1).uniform(threshold, 1, 5000), 1.0))
    scores = scores[scores > threshold]
    at = free_response.score_bins(scores, threshold, bins)
    assert (np.diff(at) >= 0).all()
    assert at.min() >= 0
    assert at[-1] == bins - 1
    edges = free_response.bin_edges(threshold, bins)
    assert (np.diff(edges) > 0).all()
    assert (scores >= edges[at]).all()
    inside = at < bins - 1
    assert (scores[inside] < edges[at[inside] + 1]).all()
    # One bin holds less than 2 / bins of the range.
    assert np.diff(np.append(edges, 1)).max() <= 2 * (1 - threshold) / bins * 1.001


def test_scores_next_to_one_are_told_apart():
    steps = 1 - np.array([0, 1, 2, 3, 4, 8, 64, 1024]) * 2.0**-24
    assert len(set(free_response.score_bins(steps, 0.1, 2048).tolist())) == len(steps)


def test_curve_and_values_equal_numpy():
    rng = np.random.default_rng(2)
    hits, false = rng.integers(0, 3, (2, 4, 30)).astype("float32")
    y, x = (free_response.cumulative(ops.convert_to_tensor(h)) for h in (hits, false))
    expected = [np.append(0, np.cumsum(h[:, ::-1], axis=1)[i]) for h in (hits, false) for i in range(4)]
    np.testing.assert_array_equal(np.concatenate([ops.convert_to_numpy(a) for a in (y, x)]), expected)
    for at in (0.0, 0.4, 3.0, 11.25, 29.0, 1000.0):
        got = ops.convert_to_numpy(free_response.value_at(x, y, ops.convert_to_tensor(np.full(4, at, "float32"))))
        np.testing.assert_allclose(got, [np.interp(at, b, a) for a, b in zip(expected[:4], expected[4:])], rtol=1e-6)


def test_empty_images_and_batches():
    for shape in ((0, 4, 4), (2, 0, 4), (2, 4, 4)):
        counts = free_response.free_response_counts(np.zeros(shape, bool), np.zeros(shape), 0.1, 8, hit="peak")
        assert counts.shape == (shape[0], 17)
        assert not counts.any()
