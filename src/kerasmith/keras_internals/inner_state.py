"""State of a function that is differentiated on JAX, where nothing of its trace may be left in a variable."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras

from kerasmith._types import Tensor


class _InnerScope(keras.StatelessScope):
    """A stateless scope that begins with the state around it and knows what was assigned in it."""

    def __init__(self, pairs):
        from keras.src.backend.common.stateless_scope import get_stateless_scope

        super().__init__(state_mapping=pairs, collect_losses=True)
        around = get_stateless_scope()
        self.state_mapping = {**({} if around is None else around.state_mapping), **self.state_mapping}
        self.assigned = {}

    def add_update(self, update):
        self.assigned[id(update[0])] = update[0]
        super().add_update(update)


class InnerState:
    """What code in `inner_state` has assigned: `variables`, and after it `values`, tensors of the inner trace."""

    def __init__(self) -> None:
        self.variables: list[keras.Variable] = []
        self.values: list[Tensor] = []

    def assign(self, values: Sequence[Tensor]) -> None:
        """Gives the variables values that the differentiated function has returned beside its result."""
        for variable, value in zip(self.variables, values, strict=True):
            variable.assign(value)


@contextlib.contextmanager
def inner_state(pairs: Sequence[tuple[Any, Tensor]] = ()) -> Iterator[InnerState]:
    """A context in which variables are read as outside, but for those in `pairs`, and assigned without effect outside.

    Args:
        pairs: (variable, value).
    """
    state = InnerState()
    with _InnerScope(list(pairs)) as scope:
        yield state
    state.variables = list(scope.assigned.values())
    state.values = [scope.get_current_value(variable) for variable in state.variables]
