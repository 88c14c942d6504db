"""Distance maps made ahead of training."""

import numpy as np
import pytest

from kerasmith.data import signed_distance_maps
from tests.oracles.shape_loops import signed_distance

pytestmark = pytest.mark.host("distances on the host")


@pytest.mark.parametrize("spacing", [None, [0.5, 2.0]])
def test_maps_equal_scipy(spacing):
    ids = np.random.default_rng(0).integers(0, 3, (2, 9, 8))
    ids[0, :2] = 255
    maps = signed_distance_maps(ids, classes=4, spacing=spacing)
    assert maps.shape == (2, 9, 8, 4)
    assert maps.dtype == np.float32
    for n in range(2):
        for c in range(4):
            np.testing.assert_allclose(maps[n, ..., c], signed_distance(ids[n] == c, spacing), rtol=1e-5)
    one_hot = np.stack([ids == c for c in range(4)], -1)
    np.testing.assert_array_equal(signed_distance_maps(one_hot, spacing=spacing), maps)


def test_no_border_no_distance():
    maps = signed_distance_maps(np.zeros((1, 5), int), classes=2)
    assert not maps.any()


def test_bad_spacing_is_refused():
    with pytest.raises(ValueError, match="2 spatial axes"):
        signed_distance_maps(np.zeros((1, 4, 4, 1)), spacing=[1.0])
