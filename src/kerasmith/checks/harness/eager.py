"""Calls of a model outside of any training: arrays as its tensors, and no gradients."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from kerasmith.checks.engine.lazy_keras import backend, keras, ops
from kerasmith.checks.harness.fit_data import map_leaves


def as_tensors(data: Any) -> Any:
    """The same structure with tensors of the backend; a leaf that cannot become one, such as text, stays."""
    return map_leaves(_tensor, data)


def _tensor(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray) and leaf.dtype == "float64":
        leaf = leaf.astype(keras.config.floatx())
    with contextlib.suppress(Exception):
        return ops.convert_to_tensor(np.array(leaf) if isinstance(leaf, np.ndarray) else leaf)
    return leaf


@contextlib.contextmanager
def without_gradients() -> Iterator[None]:
    """PyTorch keeps no graph inside; the other backends keep none anyway."""
    if backend() != "torch":
        yield
        return
    import torch

    with torch.no_grad():
        yield
