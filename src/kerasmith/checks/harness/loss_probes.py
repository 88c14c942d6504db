"""What a loss says to labels and outputs: for each sample, and its gradient."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from kerasmith.checks.engine.lazy_keras import ops
from kerasmith.checks.harness.eager import as_tensors, without_gradients
from kerasmith.checks.harness.gradients import value_and_gradients


def per_sample(loss: Any, y_true: Any, y_pred: Any) -> np.ndarray:
    """(samples,) in float64: means over all other axes; a loss that gives one number gives it for each.

    Args:
        loss: a `keras.losses.Loss`, or a function of (y_true, y_pred).
        y_true, y_pred: arrays, or structures of them.
    """
    with without_gradients(), _unreduced(loss) as alone:
        found = ops.convert_to_numpy(alone(as_tensors(y_true), as_tensors(y_pred)))
    found = np.asarray(found, "float64")
    count = int(np.shape(y_pred)[0]) if np.ndim(y_pred) else 1
    if found.ndim and len(found) == count:
        return found.reshape(count, -1).mean(axis=1)
    return np.full(count, found.mean())


def with_respect_to_outputs(loss: Any, y_true: Any, y_pred: Any) -> np.ndarray:
    """The gradient of the loss, as `fit` reduces it, with respect to `y_pred`; 0 where nothing connects them."""
    labels, outputs = as_tensors(y_true), np.asarray(y_pred)
    outputs = outputs.astype("float32") if outputs.dtype != "float32" else outputs
    _, (gradient,) = value_and_gradients(lambda tensor: ops.sum(loss(labels, tensor)), [outputs])
    return np.zeros(outputs.shape) if gradient is None else np.asarray(gradient, "float64")


@contextlib.contextmanager
def _unreduced(loss: Any) -> Iterator[Any]:
    """The same loss without its reduction over samples; a copy would go through its config, which one of a function lacks."""
    if not hasattr(loss, "reduction"):
        yield loss
        return
    before = loss.reduction
    loss.reduction = "none"
    try:
        yield loss
    finally:
        loss.reduction = before
