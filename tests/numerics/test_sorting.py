"""Sorting against NumPy, in the precisions that losses meet."""

import numpy as np
import pytest
from keras import ops

from kerasmith.numerics import sorting

pytestmark = pytest.mark.formula("operations on tensors beside an oracle")


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int32"])
def test_sorting(dtype):
    x = np.random.default_rng(0).permutation(2 * 3 * 40).reshape(2, 3, 40)
    tensor = ops.cast(ops.convert_to_tensor(x), dtype)
    order = sorting.argsort(tensor)
    np.testing.assert_array_equal(ops.convert_to_numpy(order), np.argsort(x, axis=-1))
    taken = ops.convert_to_numpy(ops.cast(sorting.take(tensor, order), "float32"))
    np.testing.assert_array_equal(taken, np.sort(x, axis=-1))


def test_an_order_has_no_gradient():
    from tests.support.gradients import value_and_grad

    x = np.array([[3.0, 1.0, 2.0]], "float32")
    _, slope = value_and_grad(
        lambda x: ops.sum(sorting.take(x, sorting.argsort(x)) * ops.convert_to_tensor([[1.0, 2.0, 4.0]])), x
    )
    np.testing.assert_array_equal(slope, [[4.0, 1.0, 2.0]])
