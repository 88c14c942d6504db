"""One array of sample weights for labels of several parts: Keras copies it to each part, and a step sees copies."""

import inspect
from typing import Any

import keras
from keras import tree


def is_shared(method: Any, *args: Any, **kwargs: Any) -> bool:
    """Whether such a call of `fit` or `evaluate` weighs several parts of `y` with one array.

    Args:
        method: the method of the model.
        args, kwargs: its arguments.
    """
    given = inspect.signature(method).bind_partial(*args, **kwargs).arguments
    y, weight = given.get("y"), given.get("sample_weight")
    return weight is not None and not tree.is_nested(weight) and tree.is_nested(y) and len(y) > 1


class SharesSampleWeight:
    """Mixin for `keras.Model`: knows in a step whether all parts of `sample_weight` are copies of one array."""

    _shared_in_fit = _shared_in_evaluate = False

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        shared = is_shared(super().fit, *args, **kwargs)
        if shared != self._shared_in_fit:
            self._shared_in_fit, self.train_function = shared, None  # a compiled step has read the old value
        return super().fit(*args, **kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        shared = is_shared(super().evaluate, *args, **kwargs)
        if shared != self._shared_in_evaluate:
            self._shared_in_evaluate, self.test_function = shared, None
        return super().evaluate(*args, **kwargs)

    fit.__signature__ = inspect.signature(keras.Model.fit)
    evaluate.__signature__ = inspect.signature(keras.Model.evaluate)
    fit.__doc__, evaluate.__doc__ = keras.Model.fit.__doc__, keras.Model.evaluate.__doc__

    def shares_sample_weight(self, training: bool) -> bool:
        """Whether the running `fit` or `evaluate` was given one array for all parts."""
        return self._shared_in_fit if training else self._shared_in_evaluate


def one_object(nest: Any) -> bool:
    """Whether all parts of a nest are one and the same array."""
    parts = tree.flatten(nest)
    return all(part is parts[0] for part in parts)
