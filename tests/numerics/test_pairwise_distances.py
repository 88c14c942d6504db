"""Distances between all vectors of a batch: values and gradients against float64 NumPy, and where they are hard to compute."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.numerics.pairwise_distances import KINDS, cosine_similarity, paired_distances, pairwise_distances, unit_length
from tests.support.cover import each_value
from tests.support.gradients import value_and_grad

pytestmark = pytest.mark.formula("operations on tensors beside an oracle")


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x), "float64")


def reference(x, kind):
    x = x.astype("float64")
    if kind == "cosine":
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
        return 1 - x @ x.T
    square = ((x[:, None] - x[None]) ** 2).sum(-1)
    return np.sqrt(square) if kind == "euclidean" else square


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("offset", [0, 50])
def test_values(kind, offset):
    x = normal(9, 7) + np.float32(offset)
    got = numpy(pairwise_distances(ops.convert_to_tensor(x), kind))
    apart = ~np.eye(9, dtype=bool)
    expected = reference(x, kind)
    np.testing.assert_allclose(got[apart], expected[apart], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(got, got.T, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients(kind):
    x, factor = normal(6, 4), normal(6, 6, seed=1) * (1 - np.eye(6, dtype="float32"))
    _, slope = value_and_grad(lambda x: ops.sum(pairwise_distances(x, kind) * ops.convert_to_tensor(factor)), x)
    wide, expected = x.astype("float64"), np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        step = np.zeros(x.shape)
        step[index] = 1e-5
        expected[index] = ((reference(wide + step, kind) - reference(wide - step, kind)) * factor).sum() / 2e-5
    np.testing.assert_allclose(slope, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("kind", KINDS)
def test_equal_and_zero_vectors(kind):
    x = np.concatenate([np.repeat(normal(2, 5), 2, 0), np.zeros((2, 5), "float32")])
    value, slope = value_and_grad(lambda x: ops.sum(pairwise_distances(x, kind)), x)
    assert np.isfinite(value)
    assert np.all(np.isfinite(slope))
    distances = numpy(pairwise_distances(ops.convert_to_tensor(x), kind))
    assert distances[0, 1] == pytest.approx(0, abs=2e-3 if kind == "euclidean" else 2e-6)
    if kind != "cosine":
        assert distances.min() >= 0


def test_similarity_of_a_zero_vector_is_zero():
    similarity = numpy(cosine_similarity(ops.convert_to_tensor(np.array([[0.0, 0.0], [3.0, 4.0]], "float32"))))
    np.testing.assert_allclose(similarity, [[0, 0], [0, 1]], atol=1e-6)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_length_never_overflows(scale):
    x = np.array([[3.0, 4.0], [0.0, 0.0], [-1.0, 1.0]], "float32") * np.float32(scale)
    got = numpy(unit_length(ops.convert_to_tensor(x)))
    np.testing.assert_allclose(got, [[0.6, 0.8], [0, 0], [-(0.5**0.5), 0.5**0.5]], rtol=1e-6)
    _, slope = value_and_grad(lambda x: ops.sum(unit_length(x)[:, 0]), x)
    np.testing.assert_allclose(slope[0] * scale, [0.16 * 0.8, -0.16 * 0.6], rtol=1e-5)
    assert not slope[1].any()


@pytest.mark.parametrize("kind", KINDS)
def test_paired_distances(kind):
    x, y = normal(8, 5), normal(8, 5, seed=1)
    y[3] = x[3]
    expected = [reference(np.stack(pair), kind)[0, 1] for pair in zip(x, y)]
    got = numpy(paired_distances(ops.convert_to_tensor(x), ops.convert_to_tensor(y), kind))
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
    _, slope = value_and_grad(lambda x: ops.sum(paired_distances(x, ops.convert_to_tensor(y), kind)), x)
    assert np.isfinite(slope).all()
    if kind != "cosine":
        assert np.all(slope[3] == 0)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="only JAX can be told the precision of one product")
@pytest.mark.parametrize("kind", KINDS)
def test_products_keep_full_precision_on_accelerators(kind):
    import jax

    program = jax.jit(jax.grad(lambda x: ops.sum(pairwise_distances(x, kind) ** 2))).trace(normal(6, 4))
    products = [line for line in program.lower(lowering_platforms=("cuda",)).as_text().splitlines() if "dot_general" in line]
    assert products
    assert all("[HIGHEST, HIGHEST]" in line for line in products)
