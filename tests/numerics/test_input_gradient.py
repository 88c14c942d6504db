"""The gradient by an input: values, slopes of it by weights and by the input, and state of layers inside."""

import keras
import numpy as np
from keras import ops

from kerasmith.losses import GradientPenalty
from kerasmith.numerics.input_gradient import value_and_input_gradient
from tests.support.gradients import value_and_grad

RNG = np.random.default_rng(0)


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x), "float64")


def test_against_derivatives_by_hand():
    x = RNG.normal(size=(3, 4)).astype("float32")
    w = RNG.normal(size=(4,)).astype("float32")

    def function(x):
        return ops.sum(ops.multiply(ops.sin(x), w), axis=-1)

    value, gradient = value_and_input_gradient(function, x)
    np.testing.assert_allclose(numpy(value), (np.sin(x) * w).sum(-1), rtol=1e-5)
    np.testing.assert_allclose(numpy(gradient), np.cos(x) * w, rtol=1e-5, atol=1e-6)
    # The gradient, differentiated once more by the input, eager and compiled.
    for jit in (False, True):
        _, second = value_and_grad(lambda x: ops.sum(value_and_input_gradient(function, x)[1]), x, jit=jit)
        np.testing.assert_allclose(second, -np.sin(x) * w, rtol=1e-5, atol=1e-6)
    # And by what else it depends on; an `x` that the function knows in another way is not its argument.
    _, by_weight = value_and_grad(
        lambda w: ops.sum(value_and_input_gradient(lambda x: ops.sum(ops.multiply(x * x, w)) + ops.sum(w), x)[1]), w
    )
    np.testing.assert_allclose(by_weight, 2 * x.sum(0), rtol=1e-5)
    _, other = value_and_grad(
        lambda x: ops.sum(value_and_input_gradient(lambda inside: ops.sum(ops.multiply(inside, x)), x)[1]), x
    )
    np.testing.assert_allclose(other, np.ones_like(x))
    np.testing.assert_array_equal(numpy(value_and_input_gradient(lambda x: ops.ones((2,)), x)[1]), 0)


def test_layers_inside_keep_their_state():
    norm = keras.layers.BatchNormalization(momentum=0.5)
    norm.build((None, 3))
    x = RNG.normal(size=(6, 3)).astype("float32")
    value_and_input_gradient(lambda x: norm(x, training=True), x)
    np.testing.assert_allclose(numpy(norm.moving_mean), x.mean(0) / 2, atol=1e-6)


def test_penalties_against_closed_forms():
    kernel = RNG.normal(size=(3, 5)).astype("float32")
    head = RNG.normal(size=(5, 2)).astype("float32")
    real, made = RNG.normal(size=(2, 7, 3)).astype("float32")

    def norms(x, kernel):
        hidden = np.tanh(x @ kernel)
        return np.linalg.norm(((1 - hidden**2) * head.sum(1)) @ kernel.T, axis=1)

    def discriminator(kernel):
        return lambda x: ops.matmul(ops.tanh(ops.matmul(x, kernel)), head)

    def slope(function):
        return np.array([[(function(kernel + s) - function(kernel - s)) / 2e-4 for s in row] for row in steps])

    steps = 1e-4 * np.eye(15).reshape(3, 5, 3, 5)
    exact = kernel.astype("float64")
    penalty = GradientPenalty("r1", weight=3.0)
    each = penalty(discriminator(kernel), real)
    np.testing.assert_allclose(numpy(each), 1.5 * norms(real, exact) ** 2, rtol=1e-5)
    got, by_kernel = value_and_grad(lambda k: ops.mean(penalty(discriminator(k), real)), kernel)
    np.testing.assert_allclose(got, 1.5 * (norms(real, exact) ** 2).mean(), rtol=1e-5)
    kernel = exact
    np.testing.assert_allclose(by_kernel, slope(lambda k: 1.5 * (norms(real, k) ** 2).mean()), rtol=1e-3, atol=1e-4)
    share = numpy(keras.random.uniform((7, 1), seed=4))
    points = share * real + (1 - share) * made
    penalty = GradientPenalty("wgan_gp", weight=10.0)
    got, by_kernel = value_and_grad(
        lambda k: ops.mean(penalty(discriminator(k), real, made, seed=4)), kernel.astype("float32")
    )
    np.testing.assert_allclose(got, 10 * ((norms(points, exact) - 1) ** 2).mean(), rtol=1e-5)
    expected = slope(lambda k: 10 * ((norms(points, k) - 1) ** 2).mean())
    np.testing.assert_allclose(by_kernel, expected, rtol=1e-3, atol=1e-3)


def test_a_flat_discriminator_has_a_finite_slope():
    zero = np.zeros((3, 1), "float32")
    x = np.ones((4, 3), "float32")
    for penalty, value in ((GradientPenalty("wgan_gp"), 10.0), (GradientPenalty("r1"), 0.0)):
        got, slope = value_and_grad(
            lambda k, penalty=penalty: ops.mean(penalty(lambda x: ops.matmul(x, k), x, x, seed=1)), zero
        )
        assert got == value
        np.testing.assert_array_equal(slope, 0)
