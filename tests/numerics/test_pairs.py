"""Pairs of a batch against plain loops."""

import numpy as np
import pytest
from keras import ops

from kerasmith.numerics import pairs as subject

pytestmark = pytest.mark.formula("operations on tensors beside an oracle")

IDS = np.array([0, 1, 0, 2, 1, 0])


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


def masks(ids, valid=None):
    return [
        numpy(m) for m in subject.pairs(ops.convert_to_tensor(ids), None if valid is None else ops.convert_to_tensor(valid))
    ]


@pytest.mark.parametrize("valid", [None, np.array([True, True, False, True, True, True])])
def test_pairs(valid):
    positive, negative = masks(IDS, valid)
    for i in range(6):
        for j in range(6):
            there = i != j and (valid is None or (valid[i] and valid[j]))
            assert positive[i, j] == (there and IDS[i] == IDS[j])
            assert negative[i, j] == (there and IDS[i] != IDS[j])


def test_nan_is_no_class_of_its_own():
    positive, negative = masks(np.array([np.nan, 1.0, np.nan], "float32"))
    assert not positive.any()
    np.testing.assert_array_equal(negative, ~np.eye(3, dtype=bool))


@pytest.mark.parametrize("epsilon", [0.0, 0.2])
def test_hard_pairs(epsilon):
    similarity = np.random.default_rng(0).uniform(-1, 1, (6, 6)).astype("float32")
    everything = masks(IDS)
    positive, negative = (numpy(m) for m in subject.hard_pairs(ops.convert_to_tensor(similarity), everything, epsilon))
    for a in range(6):
        own, others = similarity[a][everything[0][a]], similarity[a][everything[1][a]]
        for j in range(6):
            lenient = everything[0][a, j] and len(others) and similarity[a, j] - epsilon < others.max()
            assert positive[a, j] == bool(lenient)
            close = everything[1][a, j] and len(own) and similarity[a, j] + epsilon > own.min()
            assert negative[a, j] == bool(close)
    assert not positive[3].any()  # the only sample of its class
    assert not negative[3].any()


def test_row_reductions():
    values = np.array([[1.0, 2.0, 4.0], [500.0, -500.0, 3.0], [1.0, 1.0, 1.0]], "float32")
    mask = np.array([[True, False, True], [True, True, False], [False, False, False]])
    tensors = ops.convert_to_tensor(values), ops.convert_to_tensor(mask)
    np.testing.assert_allclose(numpy(subject.row_mean(*tensors)), [2.5, 0.0, 0.0])
    logs = numpy(subject.row_logsumexp(*tensors))
    np.testing.assert_allclose(logs[:2], [np.log(np.exp(1) + np.exp(4)), 500.0], rtol=1e-6)
    assert logs[2] < -1e29
    np.testing.assert_allclose(numpy(subject.counts(tensors[1], "float32")), [2, 2, 0])
