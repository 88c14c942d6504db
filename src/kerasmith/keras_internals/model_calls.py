"""Contexts around each call of `fit`, `evaluate` and `predict` of any model."""

import functools
import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import keras

Around = Callable[[Any, dict[str, Any]], AbstractContextManager[Any]]


def surround(shared: Any, around: Mapping[str, Around], quiet: bool) -> None:
    """Puts contexts around methods of `keras.Model`, once for this process.

    Args:
        shared: what the functions are given.
        around: {name: function}: `function(shared, arguments)` gives the context of a call with these arguments, `self` among
            them, which it may change.
        quiet: whether the calls print nothing.
    """
    for name, context in around.items():
        setattr(keras.Model, name, _surrounded(getattr(keras.Model, name), shared, context, quiet))


def _surrounded(own, shared, context, quiet):
    signature = inspect.signature(own)

    @functools.wraps(own)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(self, *args, **kwargs)
        if quiet:
            bound.arguments["verbose"] = 0
        with context(shared, bound.arguments):
            return own(*bound.args, **bound.kwargs)

    return call
