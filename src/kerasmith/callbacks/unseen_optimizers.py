"""Optimizers that train a model and are kept nowhere in it, such as in a function or a global name of the script."""

import gc
from typing import Any

import keras

from kerasmith.files.messages import warn
from kerasmith.keras_internals.learning_rate import steps_done
from kerasmith.keras_internals.optimizers import has_own_step, trained_variables
from kerasmith.keras_internals.owned import owned


class UnseenOptimizers:
    """Notices the steps of such optimizers from here on, in a model that trains by a step of its own; tells of them once.

    Args:
        model: the model; of one that trains by Keras' own step nothing is asked.
        who: the callback that keeps the state of the optimizers.
        harm: what follows, for the message.
    """

    def __init__(self, model: keras.Model, who: str, harm: str) -> None:
        self._model, self._who, self._harm = model, who, harm
        self._is_asked = has_own_step(model)
        self._before = {id(one): steps_done(one) for one in self._found()} if self._is_asked else {}

    def tell(self) -> None:
        """Warns after some steps, the first time."""
        if not self._is_asked:
            return
        self._is_asked = False
        unseen = [one for one in self._found() if steps_done(one) != self._before.get(id(one), 0)]
        if not unseen:
            return
        names = [variable.path for variable in trained_variables(unseen[0])]
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        warn(
            f"{self._who}: the optimizer {type(unseen[0]).__name__}, which trains {names[0]}{others}, is kept nowhere in the "
            f"model, so that {self._harm}. Write `model.my_optimizer = optimizer` before `fit`, and the same for any other.",
            stacklevel=4,
        )

    def _found(self) -> list[Any]:
        own = {id(variable): number for number, variable in enumerate(self._model.trainable_variables)}
        known = {id(one) for one in owned(self._model).optimizers.values()}
        alive = [one for one in gc.get_objects() if issubclass(type(one), keras.optimizers.Optimizer) and id(one) not in known]
        places = [[own[id(variable)] for variable in trained_variables(one) if id(variable) in own] for one in alive]
        # In the order of the model: Python's garbage collector has none.
        return [one for place, one in sorted(zip(places, alive, strict=True), key=lambda pair: pair[0]) if place]
