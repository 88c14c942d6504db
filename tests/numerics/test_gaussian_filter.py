"""The Gaussian filter against SciPy, and its adjoint against the definition of an adjoint."""

import numpy as np
import pytest
from keras import ops
from scipy import ndimage, signal

from kerasmith.numerics.gaussian_filter import filter_valid, gaussian_window
from tests.support.gradients import value_and_grad

pytestmark = pytest.mark.formula("operations on tensors beside an oracle")


@pytest.mark.parametrize(("size", "sigma"), [(11, 1.5), (5, 0.8), (1, 1.0), (13, 1.6)])
def test_window_is_the_impulse_response_of_scipy(size, sigma):
    impulse = np.zeros(size)
    impulse[size // 2] = 1
    expected = ndimage.gaussian_filter1d(impulse, sigma, radius=size // 2, mode="constant")
    np.testing.assert_allclose(gaussian_window(size, sigma), expected, rtol=1e-12)


@pytest.mark.parametrize("shape", [(2, 12, 15, 3), (1, 11, 11, 1), (2, 6, 7, 8, 2), (3, 9, 2)], ids=str)
def test_against_scipy(shape):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    windows = [gaussian_window(size, 1.2) for size in (5, 7, 3)[: len(shape) - 2]]
    kernel = windows[0]
    for window in windows[1:]:
        kernel = np.multiply.outer(kernel, window)
    expected = signal.correlate(x.astype("float64"), kernel[None, ..., None], mode="valid")
    got = ops.convert_to_numpy(filter_valid(ops.convert_to_tensor(x), windows))
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6)
    # <filter(x), g> = <x, adjoint(g)>
    g = ops.convert_to_tensor(np.random.default_rng(1).normal(size=expected.shape).astype("float32"))
    inner, adjoint = value_and_grad(lambda x: ops.sum(filter_valid(x, windows) * g), x)
    assert inner == pytest.approx((adjoint * x).sum(), rel=1e-4)


def test_a_constant_stays_constant():
    x = np.full((1, 20, 20, 1), 0.7, "float32")
    got = ops.convert_to_numpy(filter_valid(ops.convert_to_tensor(x), [gaussian_window(11, 1.5)] * 2))
    np.testing.assert_allclose(got, 0.7, rtol=1e-6)
