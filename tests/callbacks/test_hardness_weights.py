"""From scores to weights: the formula, ties, bounds, samples without a score."""

import numpy as np
import pytest

from kerasmith.callbacks.hardness_weights import effective_samples, hardness_weights

pytestmark = pytest.mark.host("weighs scores with NumPy")

WIDE = {"floor": 0.0, "cap": 1e9}


def test_by_rank():
    scores = np.array([5.0, -1.0, 1e30, 2.0])
    raw = np.exp(np.array([2.5, 0.5, 3.5, 1.5]) / 4 / 0.3)
    np.testing.assert_allclose(hardness_weights(scores, 0.3, **WIDE), raw / raw.mean(), rtol=1e-12)


def test_equal_scores_weigh_the_same():
    np.testing.assert_array_equal(hardness_weights(np.full(5, 3.0)), np.ones(5))
    np.testing.assert_array_equal(hardness_weights(np.full(5, 0.1), normalize="z"), np.ones(5))
    weights = hardness_weights([1.0, 2.0, 2.0, 3.0], 1.0, **WIDE)
    raw = np.exp(np.array([0.125, 0.5, 0.5, 0.875]))
    np.testing.assert_allclose(weights, raw / raw.mean(), rtol=1e-12)


@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200])
def test_standardised(scale):
    scores = np.array([0.0, 1.0, 2.0, 7.0])
    raw = np.exp((scores - scores.mean()) / scores.std() / 0.7)
    np.testing.assert_allclose(hardness_weights(scores * scale, 0.7, normalize="z", **WIDE), raw / raw.mean(), rtol=1e-9)


def test_bounds():
    scores = np.arange(100.0) ** 3
    weights = hardness_weights(scores, 0.05, floor=0.2, cap=3.0)
    assert (weights.min(), weights.max()) == (0.2, 3.0)
    assert (np.diff(weights) >= 0).all()
    assert np.isfinite(hardness_weights(scores, 1e-4, normalize="z", **WIDE)).all()


def test_unknown_scores():
    known = hardness_weights([1.0, 4.0, 2.0])
    np.testing.assert_array_equal(hardness_weights([1.0, np.nan, 4.0, 2.0]), [known[0], 1.0, known[1], known[2]])
    np.testing.assert_array_equal(hardness_weights([np.nan, np.nan]), [1.0, 1.0])


def test_effective_samples():
    assert effective_samples(np.full(7, 1e200)) == pytest.approx(7)
    assert effective_samples(np.array([1.0, 0, 0])) == pytest.approx(1)
    assert effective_samples(np.array([1.0, 1.0, 2.0])) == pytest.approx(16 / 6)
