"""Properties of the Lovasz extension of the Jaccard loss."""

import numpy as np
import pytest
from keras import ops

from kerasmith.losses._lovasz import lovasz_jaccard
from tests.oracles import shape_loops

pytestmark = pytest.mark.formula("operations on tensors beside an oracle")


def value(errors, truth, weight=None):
    tensors = [None if x is None else ops.convert_to_tensor(x.astype("float32")) for x in (errors, truth, weight)]
    return ops.convert_to_numpy(lovasz_jaccard(*tensors)).astype("float64")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_rows_are_independent_and_equal_plain_loops(rng):
    errors, truth, weight = rng.random((2, 3, 17)), rng.random((2, 3, 17)) < 0.4, rng.random((2, 3, 17))
    weight[..., ::3] = 0
    got = value(errors, truth, weight)
    for at in np.ndindex(2, 3):
        assert got[at] == pytest.approx(shape_loops.lovasz(errors[at], truth[at], weight[at])[0], rel=1e-5)


def test_on_sets_it_is_the_jaccard_loss(rng):
    truth, wrong = rng.random((5, 40)) < 0.3, rng.random((5, 40)) < 0.5
    predicted = truth ^ wrong
    expected = 1 - (truth & predicted).sum(1) / (truth | predicted).sum(1)
    np.testing.assert_allclose(value(wrong, truth), expected, rtol=1e-5)


def test_it_is_convex_and_homogeneous(rng):
    truth = rng.random((50, 30)) < 0.3
    a, b = rng.random((2, 50, 30))
    assert np.all(value((a + b) / 2, truth) <= (value(a, truth) + value(b, truth)) / 2 + 1e-6)
    np.testing.assert_allclose(value(3 * a, truth), 3 * value(a, truth), rtol=1e-5)


def test_whole_weights_repeat_pixels_of_decisions(rng):
    """For errors of 0 and 1 the order among equals does not matter, so a weight of 2 is two pixels."""
    wrong, truth, times = rng.random(20) < 0.5, rng.random(20) < 0.5, rng.integers(0, 4, 20)
    repeated = value(np.repeat(wrong, times)[None], np.repeat(truth, times)[None])
    np.testing.assert_allclose(value(wrong[None], truth[None], times[None]), repeated, rtol=1e-5)


def test_nothing_labelled_costs_the_largest_error(rng):
    errors, weight = rng.random((1, 9)), np.ones((1, 9))
    weight[0, errors.argmax()] = 0
    nothing = np.zeros((1, 9))
    assert value(errors, nothing)[0] == pytest.approx(errors.max())
    assert value(errors, nothing, weight)[0] == pytest.approx(np.sort(errors[0])[-2])
    assert value(errors, nothing, nothing)[0] == 0


def test_slopes_of_a_large_image_have_no_noise(rng):
    """One pixel of 2**18 moves the Jaccard loss by about 4e-6, where float32 differences would be 3 % off."""
    errors, truth = np.sort(rng.random(2**18))[::-1], rng.random(2**18) < 0.5
    positives = truth.sum()
    jaccard = 1 - (positives - np.cumsum(truth)) / (positives + np.cumsum(~truth))
    expected = np.dot(np.diff(jaccard, prepend=0.0), errors)
    assert value(errors[None], truth[None])[0] == pytest.approx(expected, rel=1e-5)
