"""A number that an objective holds beside its terms: it is shown and may be trained, and adds nothing to the loss."""

import abc
from collections.abc import Sequence
from typing import Any, Self

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import Configured
from kerasmith.objectives.term_columns import check_name


class Quantity(Configured, abc.ABC):
    """The base of what stands among the terms of an `Objective` without being a summand, such as `physics.Unknown`.

    Terms that ask for it get it by its name. It has a column of that name.

    Args:
        name: the key of the objective's dict by default.
    """

    name: str

    def __init__(self, name: str | None = None) -> None:
        check_name(name)
        self.is_named = name is not None
        self.name = name or ""
        self._variable = None

    @abc.abstractmethod
    def build(self, add_weight: Function) -> None:
        """Creates the variable: `self.bind(add_weight(...))`, with `add_weight` of the objective."""

    def bind(self, variable: Any) -> None:
        """Keeps the variable; raises ValueError if there is one already."""
        if self._variable is not None:
            raise ValueError(
                f"{self.name!r} is a variable of another objective already. Write a new {type(self).__name__}(...) for each."
            )
        self._variable = variable

    def join(self, terms: Sequence[Any]) -> None:
        """Called once, with all terms of the objective that this belongs to."""

    def under(self, name: str) -> Self:
        """This one, with a name."""
        if not self.is_named:
            type(self)(**{**self._constructor_arguments, "name": name})  # raises if it cannot have this name
            self.is_named, self.name = True, name
            self._constructor_arguments["name"] = name
        return self

    @property
    def value(self) -> Tensor:
        """Its value now, a scalar."""
        if self._variable is None:
            raise ValueError(f"{self.name!r} has no value yet: it gets one when a model is compiled with its objective.")
        return ops.convert_to_tensor(self._variable)

    def __float__(self) -> float:
        return float(ops.convert_to_numpy(ops.stop_gradient(self.value)))
