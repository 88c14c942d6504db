"""Soft skeletons against MONAI."""

import numpy as np
import pytest
import torch
from keras import ops
from monai.losses.cldice import soft_skel

from kerasmith.numerics.skeleton import soft_skeleton
from tests.support.cover import each_value

pytestmark = pytest.mark.formula("operations on tensors beside an oracle")


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("shape", [(3, 11, 14), (2, 8, 7, 9), (1, 1, 1), (1, 1, 6)])
@pytest.mark.parametrize("iterations", [0, 1, 5])
def test_equals_monai(shape, iterations):
    images = np.random.default_rng(0).random(shape).astype("float32")
    expected = soft_skel(torch.tensor(images)[:, None], iterations)[:, 0].numpy()
    np.testing.assert_allclose(
        ops.convert_to_numpy(soft_skeleton(ops.convert_to_tensor(images), iterations)), expected, atol=1e-6
    )


def test_a_bar_shrinks_to_its_centre_line():
    bar = np.zeros((1, 9, 20), "float32")
    bar[:, 2:7, 2:18] = 1
    skeleton = ops.convert_to_numpy(soft_skeleton(ops.convert_to_tensor(bar), 4))[0]
    assert np.all(skeleton[4, 5:15] == 1)
    assert skeleton[[2, 3, 5, 6], 6:14].sum() == 0
    assert skeleton[bar[0] == 0].sum() == 0


def test_lines_without_width_are_their_skeleton():
    line = np.zeros((1, 12), "float32")
    line[0, 4] = 1
    np.testing.assert_array_equal(ops.convert_to_numpy(soft_skeleton(ops.convert_to_tensor(line), 3)), line)
