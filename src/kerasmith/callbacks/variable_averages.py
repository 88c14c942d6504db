"""Averages of variables, known by the variable itself and not by its place in a list."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from kerasmith._types import Tensor
from kerasmith.callbacks.running_average import RunningAverage


class _Part(NamedTuple):
    """Variables whose averages began together, after so many averages of others."""

    variables: list[Any]
    since: int
    average: RunningAverage


class VariableAverages:
    """The averages of those variables that are trained; each goes on while its variable is, whatever becomes of others.

    Example:

    >>> import keras
    >>> first, second = keras.Variable([1.0]), keras.Variable([5.0])
    >>> averages = VariableAverages()
    >>> _ = averages.follow([first], 0)
    >>> averages.blend([first.value], lambda count: 0.5, 0)
    >>> averages.follow([second, first], 1) == ([second], [])
    True
    >>> averages.blend([second.value, first.value + 2], lambda count: 0.5, 1)
    >>> [(variable is first, float(value[0])) for variable, value in averages.pairs()]
    [(True, 2.0), (False, 5.0)]
    """

    variables: list[Any]

    def __init__(self) -> None:
        self.variables = []
        self._parts: list[_Part] = []

    def follow(self, variables: Sequence[Any], count: int) -> tuple[list[Any], list[Any]]:
        """Averages these from now on: (those that are new, those whose average is dropped).

        Args:
            variables: in the order in which `blend` gets their values.
            count: how many averages there were; new ones begin with the next one.
        """
        wanted, parts = {id(variable) for variable in variables}, []
        known = {id(variable) for part in self._parts for variable in part.variables}
        gone = [variable for part in self._parts for variable in part.variables if id(variable) not in wanted]
        for part in self._parts:
            stays = [i for i, variable in enumerate(part.variables) if id(variable) in wanted]
            if len(stays) < len(part.variables):
                average = RunningAverage()
                average.load(None if part.average.values is None else [part.average.values[i] for i in stays])
                part = part._replace(variables=[part.variables[i] for i in stays], average=average)
            if part.variables:
                parts.append(part)
        new = [variable for variable in variables if id(variable) not in known]
        if new:
            parts.append(_Part(new, count, RunningAverage()))
        self._parts, self.variables = parts, list(variables)
        return new, gone

    def blend(self, tensors: Sequence[Tensor], share: Callable[[int], float], count: int) -> None:
        """One more average of each.

        Args:
            tensors: the values, in the order of `variables`.
            share: (how many averages a variable had) -> the weight of the new value; the first average is the value.
            count: how many averages there were.
        """
        of = {id(variable): tensor for variable, tensor in zip(self.variables, tensors, strict=True)}
        for part in self._parts:
            part.average.blend([of[id(variable)] for variable in part.variables], share(count - part.since))

    def pairs(self) -> list[tuple[Any, Tensor]]:
        """(variable, average) of those that have one."""
        started = [part for part in self._parts if part.average.values is not None]
        return [pair for part in started for pair in zip(part.variables, part.average.values, strict=True)]

    def state(self, names: Mapping[int, str]) -> dict[str, Any]:
        """The averages as plain data, with the names of their variables, {id of a variable: name}."""
        started = [part for part in self._parts if part.average.values is not None]
        return {
            "averages": [array for part in started for array in part.average.arrays() or ()] or None,
            "names": [names[id(variable)] for part in started for variable in part.variables],
            "since": [part.since for part in started for _ in part.variables],
        }

    def load(self, arrays: Sequence[np.ndarray], variables: Sequence[Any], since: Sequence[int]) -> None:
        """Goes on from arrays that `state` gave, of these variables."""
        self._parts, self.variables = [], list(variables)
        for begin in dict.fromkeys(since):
            chosen = [i for i, one in enumerate(since) if one == begin]
            average = RunningAverage()
            average.load([arrays[i] for i in chosen])
            self._parts.append(_Part([variables[i] for i in chosen], begin, average))
