"""What Keras makes of a function or loss among its metrics: a mean, of which kerasmith says the values and weights."""

import functools
from collections.abc import Callable
from typing import Any

import keras


def set_values(values_of: Callable[..., Any]) -> None:
    """From now on `keras.metrics.MeanMetricWrapper` takes the mean over the samples of what is a loss of kerasmith.

    Args:
        values_of: (function, its fixed arguments, y_true, y_pred, sample_weight) -> values and weights, or None for a function
            that Keras is to call.
    """
    wrapper = keras.metrics.MeanMetricWrapper
    of_keras = wrapper.update_state

    @functools.wraps(of_keras)
    def update_state(self: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        found = values_of(self._fn, self._fn_kwargs, y_true, y_pred, sample_weight)
        if found is None:
            return of_keras(self, y_true, y_pred, sample_weight=sample_weight)
        self._direction = "down"
        return super(wrapper, self).update_state(found[0], sample_weight=found[1])

    wrapper.update_state = update_state
