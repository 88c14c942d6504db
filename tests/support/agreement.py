"""Value and gradient of a loss beside those of an oracle."""

import keras
import numpy as np

from tests.support.gradients import value_and_grad

JIT = keras.backend.backend() == "jax"  # one program compiles faster than all its operations


def gradient(loss, y_true, y_pred, sample_weight=None):
    """Value and gradient by y_pred, compiled where that is the faster way."""
    return value_and_grad(lambda p: loss(y_true, p, sample_weight), y_pred, jit=JIT)


def agrees(got, expected, tolerance=1e-5):
    """Asserts (value, gradient) equal to a relative tolerance, the gradient relative to its largest entry."""
    np.testing.assert_allclose(got[0], expected[0], rtol=tolerance)
    np.testing.assert_allclose(got[1], expected[1], rtol=0, atol=tolerance * np.abs(expected[1]).max())


def name(x):
    """A test id that is the same in every process."""
    return getattr(x, "name", getattr(x, "__name__", str(x)))
