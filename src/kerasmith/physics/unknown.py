"""A coefficient of an equation that is learned from data."""

from collections.abc import Sequence
from typing import Any

import keras

from kerasmith.base import register
from kerasmith.base.arguments import check_number
from kerasmith.objectives.quantity import Quantity
from kerasmith.objectives.step_inputs import NAMES


@register
class Unknown(Quantity):
    """A coefficient of an equation that training finds, as in inverse problems (since 0.2).

    It stands among the terms of an `Objective`, adds nothing to the loss, and is a column of the history. The equations of
    the objective's `Residual`s get it by its name. It belongs to the model: the optimizer trains it, and it is saved, loaded
    and resumed with it.

    Args:
        initial: its first value.
        name: the name of the argument of the equation, and of the column. The key of the objective's dict by default.

    `float(unknown)` is its value now. The column shows its mean over an epoch.

    Raises:
        TypeError: for a value that is no number.
        ValueError: for a name that no argument can have, or that means something else to a term, such as "y"; for one that
            no equation of the objective asks for.

    Example:

    >>> import keras
    >>> from keras import ops
    >>> from kerasmith import Model, Objective
    >>> from kerasmith.physics import Residual
    >>> def decay(f, rate):
    ...     return f.d("t") + rate * f.u
    >>> inputs = keras.Input((1,))
    >>> model = Model(inputs, keras.layers.Dense(1)(keras.layers.Dense(4, activation="tanh")(inputs)))
    >>> rate = Unknown(0.5, "rate")
    >>> model.compile("adam", Objective({"data": "mse", "decay": Residual(decay, names="t"), "rate": rate}))
    >>> sorted(model.fit(ops.ones((4, 1)), ops.ones((4, 1)), verbose=0).history), float(rate) != 0.5
    (['data', 'decay', 'loss', 'rate'], True)
    """

    def __init__(self, initial: float, name: str | None = None) -> None:
        check_number("initial", initial)
        if name is not None and (not isinstance(name, str) or not name.isidentifier() or name in NAMES):
            raise ValueError(
                "`name` must be the name of an argument, such as 'nu', and none of those that every term may ask for "
                f"({', '.join(NAMES)}). Received: name={name!r}"
            )
        super().__init__(name)
        self.initial = float(initial)

    def join(self, terms: Sequence[Any]) -> None:
        if not any(self.name in term.takes for term in terms):
            raise ValueError(
                f"No term asks for the unknown {self.name!r}, so nothing would train it. Give an equation an argument of that "
                f"name, `def equation(f, {self.name}): ...`, and the objective its Residual(equation)."
            )

    def build(self, add_weight: Any) -> None:
        self.bind(add_weight(shape=(), initializer=keras.initializers.Constant(self.initial), name=self.name))
