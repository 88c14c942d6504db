"""PyTorch says how many operations it is given."""

import keras
import pytest

from kerasmith.keras_internals.torch_dispatch import count_operations


@pytest.mark.skipif(keras.config.backend() != "torch", reason="PyTorch only")
def test_each_operation_counts():
    import torch

    x = torch.ones(3)
    assert count_operations(lambda: None) == 0
    assert count_operations(lambda: [x + index for index in range(5)]) == 5
