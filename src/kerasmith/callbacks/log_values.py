"""The logs of Keras as plain numbers."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np


def scalars(logs: Mapping[str, Any]) -> dict[str, float]:
    """The logs as {name: float}; entry i of a vector becomes `<name>_<i>`.

    >>> scalars({"loss": np.float32(0.5), "iou": [0.25, 0.75]})
    {'loss': 0.5, 'iou_0': 0.25, 'iou_1': 0.75}
    """
    found = {}
    for name, value in logs.items():
        array = np.asarray(keras.ops.convert_to_numpy(value) if keras.ops.is_tensor(value) else value, dtype=float)
        if array.ndim == 0:
            found[name] = float(array)
        else:
            found.update({f"{name}_{i}": float(v) for i, v in enumerate(array.ravel())})
    return found
