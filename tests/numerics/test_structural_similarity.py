"""The maps of SSIM against scikit-image, and the halving of images against plain loops."""

import numpy as np
import pytest
from keras import ops
from skimage.metrics import structural_similarity

from kerasmith.numerics.gaussian_filter import gaussian_window
from kerasmith.numerics.structural_similarity import dissimilarity_maps, half_size, spatial_mean

pytestmark = pytest.mark.formula("operations on tensors beside an oracle")


def arrays(*tensors):
    return [ops.convert_to_numpy(t).astype("float64") for t in tensors]


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_map_of_scikit_image(offset):
    rng = np.random.default_rng(0)
    x = (offset + rng.random((16, 15))).astype("float32")
    y = (x + 0.3 * rng.normal(size=x.shape)).astype("float32")
    _, expected = structural_similarity(
        x.astype("float64"),
        y.astype("float64"),
        data_range=1.0,
        gaussian_weights=True,
        use_sample_covariance=False,
        full=True,
    )
    tensors = (ops.convert_to_tensor(a[None, ..., None]) for a in (x, y))
    luminance, contrast = arrays(*dissimilarity_maps(*tensors, [gaussian_window(11, 1.5)] * 2, 1e-4, 9e-4))
    np.testing.assert_allclose(((1 - luminance) * (1 - contrast))[0, ..., 0], expected[5:-5, 5:-5], rtol=0, atol=1e-5)


def test_extremes_of_the_two_factors():
    flat = np.zeros((1, 12, 12, 1), "float32")
    board = (np.indices((12, 12)).sum(0) % 2).astype("float32")[None, ..., None]
    windows = [gaussian_window(11, 1.5)] * 2
    luminance, contrast = arrays(*dissimilarity_maps(*map(ops.convert_to_tensor, (board, 1 - board)), windows, 1e-4, 9e-4))
    assert np.abs(luminance).max() < 1e-4
    np.testing.assert_allclose(contrast, 2, rtol=0.01)
    luminance, contrast = arrays(*dissimilarity_maps(*map(ops.convert_to_tensor, (flat, flat + 1)), windows, 1e-4, 9e-4))
    np.testing.assert_allclose(luminance, 1, rtol=1e-3)
    assert np.abs(contrast).max() < 1e-4


@pytest.mark.parametrize("shape", [(6, 4), (5, 4), (5, 7), (3, 4, 5), (1, 1)], ids=str)
def test_half_size(shape):
    x = np.random.default_rng(0).normal(size=shape)
    padded = np.pad(x, [(0, n % 2) for n in shape], mode="symmetric")
    expected = np.zeros([(n + 1) // 2 for n in shape])
    for place in np.ndindex(expected.shape):
        expected[place] = padded[tuple(slice(2 * i, 2 * i + 2) for i in place)].mean()
    got = half_size(ops.convert_to_tensor(x[None, ..., None].astype("float32")))
    np.testing.assert_allclose(arrays(got)[0][0, ..., 0], expected, rtol=0, atol=1e-6)


def test_spatial_mean():
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")
    np.testing.assert_allclose(arrays(spatial_mean(ops.convert_to_tensor(x)))[0], x.mean((1, 2)), rtol=0, atol=1e-6)
