"""What PyTorch is given to compute, one operation after the other."""

from collections.abc import Callable
from typing import Any


def count_operations(function: Callable[[], Any]) -> int:
    """How many operations PyTorch is given while `function()` runs."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Counting(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            self.count += 1
            return operation(*args, **(kwargs or {}))

    with Counting() as counting:
        function()
    return counting.count
