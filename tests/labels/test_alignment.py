"""Targets brought to the shape of predictions, or refused."""

import numpy as np
import pytest
from keras import ops

from kerasmith.labels.alignment import align, check_batch

pytestmark = pytest.mark.formula("operations on tensors beside an oracle")


def tensor(*shape):
    return ops.convert_to_tensor(np.arange(np.prod(shape), dtype="float32").reshape(shape))


@pytest.mark.parametrize(
    ("given", "wanted"), [((4, 3), (4, 3)), ((4,), (4, 1)), ((4, 1), (4,)), ((4, 3), (4, 3, 1)), ((4, 3, 1), (4, 3)), ((), ())]
)
def test_a_trailing_one_may_differ(given, wanted):
    aligned = align(tensor(*given), tensor(*wanted))
    assert tuple(aligned.shape) == wanted
    assert np.array_equal(ops.convert_to_numpy(aligned).ravel(), np.arange(np.prod(given)))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ((4,), (4, 10)),
        ((4, 1), (4, 10)),
        ((1, 3), (4, 3)),
        ((3,), (4, 3)),
        ((4, 3), (3, 4)),
        ((4, 3, 1, 1), (4, 3)),
        ((), (4,)),
    ],
)
def test_everything_else_would_broadcast(given, wanted):
    with pytest.raises(ValueError, match="broadcast") as error:
        align(tensor(*given), tensor(*wanted), "the means")
    assert f"y_true of shape {given} does not fit the means of shape {wanted}" in str(error.value)


def test_check_batch():
    check_batch(tensor(4), tensor(4, 3, 2))
    with pytest.raises(ValueError, match="same number of samples"):
        check_batch(tensor(1, 3), tensor(4, 3))
