"""Sorting along the last axis. PyTorch sorts rows on the CPU five times slower than NumPy, so there NumPy does it."""

import keras
import numpy as np
from keras import ops

from kerasmith._types import Tensor


def argsort(x: Tensor) -> Tensor:
    """Indices that sort the last axis of `x` to rise, without gradient; the order of equal values is not defined."""
    if not _on_cpu_torch(x):
        return ops.argsort(ops.stop_gradient(x), axis=-1)
    import torch

    if x.device.type == "meta" or x.dtype in (torch.float16, torch.bfloat16):
        return torch.argsort(x.detach(), dim=-1)
    return torch.from_numpy(np.argsort(x.detach().numpy(), axis=-1))


def take(x: Tensor, order: Tensor) -> Tensor:
    """`x` in an order along its last axis."""
    if keras.backend.backend() == "torch":
        return x.gather(-1, order.long())
    return ops.take_along_axis(x, order, axis=-1)


def _on_cpu_torch(x):
    return keras.backend.backend() == "torch" and x.device.type in ("cpu", "meta")
