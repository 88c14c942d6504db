"""A loss of some library, with its inputs in the form that library likes best."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Contender(NamedTuple):
    """One loss to time.

    Attributes:
        loss: (y_true, y_pred) -> scalar, in tensors of the backend.
        y_true: labels.
        y_pred: predictions.
        channel_axis: the channel axis of `y_pred`, None for vectors.
        tolerance: how far it may be from the others; smp sums a float32 batch to about 1e-4 only.
    """

    loss: Callable
    y_true: Any
    y_pred: Any
    channel_axis: int | None = -1
    tolerance: float = 3e-4


def channels_first(x):
    """Channels moved to axis 1, in memory too: the layout that MONAI and smp are written for."""
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))
