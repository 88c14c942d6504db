"""Variation maps against plain loops."""

import numpy as np
import pytest
from keras import ops

from kerasmith.numerics.total_variation import variation_map
from tests.oracles.images import variation_loops
from tests.support.cover import each_value

pytestmark = pytest.mark.formula("operations on tensors beside an oracle")


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("isotropic", [False, True])
@pytest.mark.parametrize("shape", [(5, 4), (3, 4, 5), (7,), (1, 3)], ids=str)
def test_against_loops(shape, isotropic):
    x = np.random.default_rng(0).normal(size=shape)
    got = variation_map(ops.convert_to_tensor(x[None, ..., None].astype("float32")), isotropic)
    np.testing.assert_allclose(ops.convert_to_numpy(got)[0, ..., 0], variation_loops(x, isotropic), rtol=0, atol=1e-6)


def test_differences_to_pixels_that_do_not_count():
    x = np.array([[[0.0], [1.0], [5.0], [6.0]]], "float32")
    valid = ops.convert_to_tensor(np.array([[1.0, 1.0, 0.0, 1.0]], "float32"))
    got = variation_map(ops.convert_to_tensor(x), valid=valid)
    assert ops.convert_to_numpy(got).ravel().tolist() == [1.0, 0.0, 0.0, 0.0]
