"""Copies of callbacks: `copy.deepcopy`, as KerasTuner makes for each trial, and `pickle`."""

import copy
import os
from collections.abc import Callable
from typing import Any, ClassVar

from kerasmith.base.keywords import KnowsKeywords


def no_model() -> None:
    """A weak reference to nothing, as a callback has before it knows a model."""


class Copyable(KnowsKeywords):
    """A callback of which a copy can be made at any time. What belongs to a running `fit` stays with the original.

    A copy has the configuration and the state, and a life of its own from there on; it gets its model from the next `fit`.

    Attributes:
        of_one_fit: {attribute: function that gives what it begins as in a copy}, of a class; those of its bases count too.
        shared: names of attributes that deep copies have in common with the original: data, an output.
    """

    of_one_fit: ClassVar[dict[str, Callable[[], Any]]] = {"_model": no_model}
    shared: ClassVar[tuple[str, ...]] = ()

    def __getstate__(self) -> dict[str, Any]:
        state = dict(vars(self))
        for cls in reversed(type(self).__mro__):
            for name, begin in vars(cls).get("of_one_fit", {}).items():
                if name in state:
                    state[name] = begin()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        other = memo[id(self)] = type(self).__new__(type(self))
        state = {name: value for name, value in self.__getstate__().items() if name not in self.shared}
        other.__setstate__({**copy.deepcopy(state, memo), **{name: getattr(self, name) for name in self.shared}})
        return other


class CopyNumber:
    """Tells an object from its copies: the family is what they have in common, a copy gets a number of its own.

    Example:

    >>> import copy
    >>> first = CopyNumber()
    >>> second = copy.deepcopy(first)
    >>> second.is_sibling(str(first)), first.is_sibling(str(first)), first.is_sibling(str(CopyNumber()))
    (True, False, False)
    """

    def __init__(self, family: str | None = None):
        self.family: str = family or os.urandom(6).hex()
        self.own: str = os.urandom(6).hex()

    @classmethod
    def of(cls, text: str) -> "CopyNumber":
        """The number of which `str` gave this text: an object of another process goes on as what it was."""
        found = cls(text.partition(":")[0])
        found.own = text.partition(":")[2]
        return found

    def __str__(self) -> str:
        return f"{self.family}:{self.own}"

    def __reduce__(self) -> tuple[Any, ...]:
        return CopyNumber, (self.family,)

    def is_sibling(self, other: str | None) -> bool:
        """Whether text that `str` gave is that of a copy of this one, and not its own."""
        return other is not None and other != str(self) and other.partition(":")[0] == self.family
