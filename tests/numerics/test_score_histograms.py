"""Bins of scores: monotone, never outside, exact one-against-the-rest logits; native bincount; against NumPy."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.numerics import score_histograms
from kerasmith.numerics.bincount import bincount

pytestmark = pytest.mark.formula("operations on tensors beside an oracle")


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


@pytest.mark.parametrize("bins", [2, 33, 16384, 2**20])
def test_bins_rise_with_the_score_and_stay_inside(bins):
    tails = 10.0 ** np.linspace(-38, 0, 500)
    p = np.sort(np.concatenate([[0.0], tails, 1 - tails[tails > 1e-8], np.linspace(0, 1, 500)])).astype("float32")
    z = np.sort(np.concatenate([-tails * 1e38, tails * 1e38, [-np.inf, np.inf, 0]])).astype("float32")
    for scores, from_logits in ((p, False), (z, True)):
        index = numpy(score_histograms.bin_index(ops.convert_to_tensor(scores), bins, from_logits=from_logits))
        assert np.all(np.diff(index) >= 0)
        assert (index[0], index[-1]) == (0, bins - 1)
    spoiled = ops.convert_to_tensor(np.array([np.nan, 0.5], "float32"))
    assert numpy(score_histograms.bin_index(spoiled, bins, from_logits=False))[0] == bins
    assert numpy(score_histograms.bin_index(spoiled, bins, from_logits=True))[0] == bins


def test_middles_of_bins_fall_into_their_bins():
    z = np.array(score_histograms.bin_scores(64), "float32")
    assert numpy(score_histograms.bin_index(ops.convert_to_tensor(z), 64, from_logits=True)).tolist() == list(range(64))


@pytest.mark.parametrize("axis", [1, 2])
def test_rest_logits_are_exact_where_softmax_saturates(axis):
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0, s, (4, 6, 6)) for s in (1, 30, 300)]).astype("float32")
    wide = np.moveaxis(x.astype("float64"), axis, -1)
    expected = np.stack([wide[..., c] - np.logaddexp.reduce(np.delete(wide, c, -1), axis=-1) for c in range(6)], axis=-1)
    got = np.moveaxis(numpy(score_histograms.rest_logits(ops.convert_to_tensor(x), axis)), axis, -1)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)
    equal = numpy(score_histograms.rest_logits(ops.zeros((2, 4, 4)), axis))
    np.testing.assert_allclose(equal, -np.log(3.0), rtol=1e-6)


def test_histogram_equals_a_loop():
    rng = np.random.default_rng(1)
    index, positive = rng.integers(0, 6, (4, 7, 3)).astype("int32"), rng.random((4, 7, 3)) < 0.5
    counts, weight = rng.random((4, 7, 1)) < 0.7, rng.random((4, 1, 1)).astype("float32")
    expected, weighted = np.zeros((3, 2, 6)), np.zeros((3, 2, 6))
    for b, n, c in np.ndindex(4, 7, 3):
        if counts[b, n, 0]:
            expected[c, int(positive[b, n, c]), index[b, n, c]] += 1
            weighted[c, int(positive[b, n, c]), index[b, n, c]] += weight[b, 0, 0]
    common = {"channel": ops.arange(3, dtype="int32"), "channels": 3, "counts": ops.convert_to_tensor(counts)}
    arrays = ops.convert_to_tensor(index), ops.convert_to_tensor(positive), 5
    got = score_histograms.score_histogram(*arrays, **common)
    assert "int32" in str(got.dtype)
    np.testing.assert_array_equal(numpy(got), expected)
    got = score_histograms.score_histogram(*arrays, **common, weight=ops.convert_to_tensor(weight))
    np.testing.assert_allclose(numpy(got), weighted, rtol=1e-6)


def compiled(function):
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.jit(function)
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=True)
    return function


@pytest.mark.parametrize("size", [0, 1, 5000])
@pytest.mark.parametrize("how", [lambda f: f, compiled])
def test_bincount_equals_numpy(size, how):
    rng = np.random.default_rng(2)
    index, weight = rng.integers(0, 37, size).astype("int32"), rng.random(size).astype("float32")
    counts = how(lambda i: bincount(i, None, 41))(ops.convert_to_tensor(index))
    assert "int32" in str(counts.dtype)
    np.testing.assert_array_equal(numpy(counts), np.bincount(index, minlength=41))
    sums = how(lambda i, w: bincount(i, w, 41))(ops.convert_to_tensor(index), ops.convert_to_tensor(weight))
    assert "float32" in str(sums.dtype)
    np.testing.assert_allclose(numpy(sums), np.bincount(index, weight, 41), rtol=2e-6)
