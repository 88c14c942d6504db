"""How many operations a loss asks PyTorch for, value and gradient: on small batches they are what it costs."""

import keras
import numpy as np
import pytest

from kerasmith import losses
from kerasmith.keras_internals.torch_dispatch import count_operations

pytestmark = [
    pytest.mark.host("counts operations of PyTorch"),
    pytest.mark.skipif(keras.backend.backend() != "torch", reason="counts operations of PyTorch"),
]


def operations(loss, y_true, y_pred):
    import torch

    y_true, y_pred = torch.tensor(y_true), torch.tensor(y_pred, requires_grad=True)
    return count_operations(lambda: loss(y_true, y_pred).backward())


@pytest.mark.parametrize(("channels", "most"), [(1, 37), (4, 42)])
def test_dice(channels, most):  # four of them check the labels
    rng = np.random.default_rng(0)
    y_pred = rng.random((2, 16, 16, channels)).astype("float32")
    assert operations(losses.Dice(), np.round(y_pred), y_pred) <= most
