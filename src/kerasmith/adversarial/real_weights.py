"""Sample weights of real samples that have no `y` beside them: Keras would drop them on their way into the step."""

import inspect
from collections.abc import Mapping
from typing import Any

import keras

_KEY = "weight of real samples"


class WeighsReal:
    """Mixin for `keras.Model`: `fit(real, sample_weight=...)` and `evaluate(real, sample_weight=...)` keep the weights."""

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        given = inspect.signature(super().fit).bind_partial(*args, **kwargs).arguments
        validation = given.get("validation_data")
        if (
            isinstance(validation, (tuple, list))
            and len(validation) == 3
            and validation[1] is None
            and validation[2] is not None
        ):
            given["validation_data"] = (validation[0], {_KEY: validation[2]})
        return super().fit(**_with_weights(given))

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        return super().evaluate(**_with_weights(inspect.signature(super().evaluate).bind_partial(*args, **kwargs).arguments))

    fit.__signature__ = inspect.signature(keras.Model.fit)
    evaluate.__signature__ = inspect.signature(keras.Model.evaluate)
    fit.__doc__, evaluate.__doc__ = keras.Model.fit.__doc__, keras.Model.evaluate.__doc__


def _with_weights(given):
    given = {**{name: value for name, value in given.items() if name != "kwargs"}, **given.get("kwargs", {})}
    if given.get("y") is None and given.get("sample_weight") is not None:
        given["y"] = {_KEY: given.pop("sample_weight")}
    return given


def unpacked(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of a batch, as `fit` was given them."""
    x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
    return (x, None, y[_KEY]) if isinstance(y, Mapping) and set(y) == {_KEY} else (x, y, weight)
