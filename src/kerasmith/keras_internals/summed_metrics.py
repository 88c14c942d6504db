"""Whether Keras itself sums the variables of metrics over the processes of PyTorch, as it does since 3.16."""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import keras

_OURS: list[set[int]] = []


@contextlib.contextmanager
def summed_here(values: list[tuple[keras.Variable, Any]]) -> Iterator[None]:
    """A context in which variables of metrics have other values: their sums over all processes."""
    _OURS.append({id(variable) for variable, _ in values})
    try:
        with keras.StatelessScope(state_mapping=values):
            yield
    finally:
        _OURS.pop()


def is_summed(variable: keras.Variable) -> bool:
    """Whether the value that `variable` has just now is Keras' sum over all processes.

    Since 3.16 `fit` and `evaluate` on PyTorch read results in a scope that puts the sum of each metric variable in its place.
    A `result()` outside of them sees what this process has counted.
    """
    if any(id(variable) in known for known in _OURS):
        return True
    if keras.backend.backend() != "torch" or not trainer_sums():
        return False
    from keras.src.backend.common.stateless_scope import get_stateless_scope, in_stateless_scope

    return in_stateless_scope() and get_stateless_scope().get_current_value(variable) is not None


@functools.cache
def trainer_sums() -> bool:
    """Whether Keras' trainer on PyTorch has a distributed `fit` of its own."""
    from keras.src.backend.torch import trainer

    # Its class has another name from version to version, but is always the first base of `keras.Model`.
    return keras.Model.get_metrics_result.__module__ == trainer.__name__
