"""Combined gradients of several tasks: against LibMTL, SciPy and loops, on matrices at the edge, eager and compiled."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.numerics import task_conflicts as tc
from tests.oracles import multitask as oracle
from tests.support.cover import each_value

pytestmark = pytest.mark.formula("operations on tensors beside an oracle")

METHODS = {
    "pcgrad": lambda gram, order, c: tc.pcgrad(gram, order),
    "cagrad": lambda gram, order, c: tc.cagrad(gram, c),
    "imtl": lambda gram, order, c: tc.imtl_g(gram),
    "nash": lambda gram, order, c: tc.nash(gram),
}


@functools.cache
def function_of(method, c, jit):
    """(gram, order) -> coefficients; compiled or not."""

    def function(gram, order):
        return METHODS[method](gram, order, c)

    if jit and keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=True)
    if jit and keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    return function


def coefficients(method, gram, *, order=None, c=0.5, jit=None):
    """(K,) of a NumPy matrix; pcgrad meets the last task first unless told otherwise."""
    # JAX outside a compiled function would compile every loop anew for every call.
    jit = keras.backend.backend() == "jax" if jit is None else jit
    order = np.tile(np.arange(len(gram))[::-1], (len(gram), 1)) if order is None else order
    tensors = (ops.convert_to_tensor(a.astype(dtype)) for a, dtype in ((gram, "float32"), (order, "int32")))
    found = ops.convert_to_numpy(function_of(method, c, jit)(*tensors))
    assert found.shape == (len(gram),)
    return found


def gradients_of(count, seed, size=30, spread=0.0, offset=0.0):
    """(K, D); lengths spread over powers of ten, a common part that makes them conflict less."""
    rng = np.random.default_rng(seed)
    g = rng.normal(size=(count, size)) + offset * rng.normal(size=size)
    return g * 10 ** (spread * rng.normal(size=(count, 1)))


def combined(method, gradients, **kwargs):
    return coefficients(method, gradients @ gradients.T, **kwargs).astype("float64") @ gradients


def assert_close(got, expected, rtol=1e-5):
    assert np.linalg.norm(got - expected) <= rtol * np.linalg.norm(expected)


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_pcgrad_is_the_loop_over_the_vectors(count, spread):
    rng = np.random.default_rng(count)
    changed = 0
    for seed in range(8):
        gradients = gradients_of(count, seed, size=6, spread=spread)
        order = rng.permuted(np.tile(np.arange(count), (count, 1)), axis=1)
        got = combined("pcgrad", gradients, order=order)
        assert_close(got, oracle.pcgrad(gradients, order), 2e-5)
        assert_close(got, oracle.libmtl_pcgrad(gradients, order), 2e-5)
        changed += not np.allclose(got, gradients.sum(0))
    assert changed > 2


def test_pcgrad_depends_on_the_order():
    gradients = gradients_of(3, 2, size=4)
    orders = np.array([[0, 1, 2]] * 3), np.array([[2, 1, 0]] * 3)
    first, second = (combined("pcgrad", gradients, order=order) for order in orders)
    assert np.abs(first - second).max() > 1e-2


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_imtl_is_libmtls_and_the_linear_system(count, spread):
    for seed in range(5):
        gradients = gradients_of(count, seed, spread=spread)
        got = combined("imtl", gradients)
        assert_close(got, oracle.imtl(gradients))
        assert_close(got, oracle.libmtl_imtl(gradients))


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("spread", [0.0, 1.0, 4.0])
def test_nash_is_the_convex_minimum(count, spread):
    for seed in range(5):
        gradients = gradients_of(count, seed, spread=spread)
        assert_close(combined("nash", gradients), oracle.nash(gradients))


def test_nash_solves_its_equation():
    gradients = gradients_of(4, 0, size=12)
    gram = gradients @ gradients.T
    a = coefficients("nash", gram)
    np.testing.assert_allclose(gram / np.linalg.norm(gram) @ a, 1 / a, rtol=1e-5)


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("c", [0.1, 0.5, 0.9])
def test_cagrad_is_the_convex_minimum(count, c):
    for seed in range(4):
        gradients = gradients_of(count, seed, offset=seed / 3)
        assert_close(combined("cagrad", gradients, c=c), oracle.cagrad(gradients, c), 2e-5)


@pytest.mark.parametrize("c", [0.2, 0.5])
def test_cagrad_is_libmtls(c):
    for seed in range(4):
        gradients = gradients_of(3, seed, size=20)
        # There SLSQP stops at 1e-6 of the objective, whatever its size: longer gradients make that small.
        assert_close(combined("cagrad", gradients, c=c), oracle.libmtl_cagrad(30 * gradients, c) / 30, 5e-5)


def test_cagrad_leaves_the_worst_task_no_worse_than_the_oracle():
    """Few dimensions and mixed lengths, where conflicts leave hardly a way out and the minimum is a kink."""
    for seed in range(24):
        gradients = gradients_of(2 + seed % 4, seed, size=2 + seed % 3, spread=0.5)
        got = combined("cagrad", gradients, c=0.5)
        expected = oracle.cagrad(gradients, 0.5)
        unit = np.linalg.norm(gradients.mean(0)) * np.linalg.norm(gradients, axis=1).max()
        assert (gradients @ got).min() >= (gradients @ expected).min() - 2e-5 * unit, seed
        assert np.linalg.norm(1.25 * got - gradients.mean(0)) <= 0.5 * np.linalg.norm(gradients.mean(0)) * (1 + 1e-4)


def test_cagrad_without_radius_is_the_mean():
    gradients = gradients_of(3, 0)
    assert_close(combined("cagrad", gradients, c=0), gradients.mean(0), 1e-6)


# --- matrices at the edge -----------------------------------------------------------------------------------------------

E = np.eye(4)
EDGES = {
    "zero": 0 * E[:3],
    "one zero": np.stack([0 * E[0], E[0], 2 * E[1]]),
    "one task": 3 * E[:1],
    "one zero task": 0 * E[:1],
    "same": np.stack([E[0]] * 5),
    "same, tiny": 1e-12 * np.stack([E[0]] * 3),
    "same, huge": 1e12 * np.stack([E[0]] * 3),
    "parallel": np.stack([E[0], 5 * E[0], E[1]]),
    "opposed": np.stack([E[0], -E[0]]),
    "opposed, unequal": np.stack([2 * E[0], -E[0]]),
    "opposed beside a third": np.stack([E[0], -E[0], E[1]]),
    "opposed beside a zero": np.stack([E[0], -E[0], 0 * E[1]]),
    "around the origin": np.eye(3) - 1 / 3,
    "tiny and huge": np.stack([1e-12 * E[0], 1e12 * E[1], E[2]]),
    "tiny against huge": np.stack([1e-12 * E[0], -1e12 * E[0]]),
    "more tasks than dimensions": gradients_of(5, 0, size=2),
}


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("edge", EDGES)
def test_coefficients_are_finite_and_the_sum_is_no_longer_than_four_times_all_gradients(method, edge):
    gradients = EDGES[edge]
    got = combined(method, gradients)
    assert np.isfinite(got).all()
    assert np.linalg.norm(got) <= 4 * np.linalg.norm(gradients, axis=1).sum()


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("factor", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("method", METHODS)
def test_the_scale_of_all_gradients_changes_no_coefficient(method, factor):
    gradients = gradients_of(3, 1, size=5)
    one, scaled = (coefficients(method, gradients @ gradients.T * s) for s in (1.0, factor**2))
    np.testing.assert_allclose(scaled, one, rtol=1e-5)


@pytest.mark.parametrize(
    ("edge", "method", "expected"),
    [
        ("one task", "pcgrad", [1.0]),
        ("one task", "imtl", [1.0]),
        ("one task", "nash", [1.0]),
        ("one task", "cagrad", [1.5 / 1.25]),
        ("same", "pcgrad", [1.0] * 5),
        ("same", "imtl", [0.2] * 5),
        ("same", "nash", [1.0] * 5),
        ("one zero", "pcgrad", [1.0, 1.0, 1.0]),
        ("one zero", "imtl", [0.0, 2 / 3, 1 / 3]),
        ("one zero", "nash", [0.0, 17**0.25, 17**0.25 / 2]),
        ("zero", "imtl", [0.0, 0.0, 0.0]),
        ("opposed", "imtl", [0.5, 0.5]),
        ("opposed, unequal", "pcgrad", [1.5, 3.0]),
        ("tiny and huge", "imtl", [1.0, 1e-24, 1e-12]),
        ("tiny and huge", "pcgrad", [1.0, 1.0, 1.0]),
    ],
)
def test_coefficients_by_hand(edge, method, expected):
    gradients = EDGES[edge]
    np.testing.assert_allclose(coefficients(method, gradients @ gradients.T), expected, rtol=3e-6)


def test_identical_tasks_count_as_in_the_sum_of_their_coefficients():
    gradients = EDGES["same"]
    assert_close(combined("cagrad", gradients), 1.5 / 1.25 * E[0], 1e-5)


def test_imtl_never_climbs():
    """Three directions close to one plane, the middle one short: the closed form would go uphill for every task."""
    gradients = np.array([[1.0, 1.0, 0.01], [1.0, -1.0, 0.01], [1e-3, 0.0, 0.0]])
    assert (gradients @ oracle.imtl(gradients) < 0).all()
    assert_close(combined("imtl", gradients), gradients.mean(0), 1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_compiled_is_eager(method):
    gradients = gradients_of(3, 5, size=6)
    eager, compiled = (combined(method, gradients, jit=jit) for jit in (False, True))
    assert_close(compiled, eager, 1e-5)


@pytest.mark.parametrize("count", [1, 2, 6])
def test_small_systems(count):
    rng = np.random.default_rng(count)
    factor = rng.normal(size=(count, count + 3))
    right = rng.normal(size=(count, 2))
    matrix = np.diag(10 ** (np.arange(count) - 1.5)) @ (factor @ factor.T) @ np.diag(10 ** (np.arange(count) - 1.5))
    got = ops.convert_to_numpy(
        tc.solve(ops.convert_to_tensor(matrix.astype("float32")), ops.convert_to_tensor(right.astype("float32")))
    )
    np.testing.assert_allclose(got, np.linalg.solve(matrix, right), rtol=1e-4, atol=1e-5 * np.abs(got).max())


def test_a_singular_system_has_a_finite_answer():
    got = ops.convert_to_numpy(tc.solve(ops.ones((2, 2)), ops.ones((2, 1))))
    np.testing.assert_allclose(got.sum(), 1.0, rtol=1e-5)
