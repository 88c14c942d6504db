"""The base of strategies that weigh tasks against each other while the model trains."""

from typing import Any

import keras
from keras import ops

from kerasmith._moved import keep_old_methods
from kerasmith._types import DType, Tensor
from kerasmith.base import Configured

_OLD_METHODS = {"observe": "update_from_losses", "react": "update_from_gradients"}


class Balancer(Configured):
    """Base class of `Objective(..., balance=...)`.

    In every training step the objective calls, in this order,
    1. `update_from_losses(values, samples, is_first)` with the terms' values, before anything is weighted;
    2. `factors()`, a (K,) tensor that multiplies the weights of the K terms;
    3. if `needs_gradients`: `update_from_gradients(gram)`, with the (K, K) inner products of the gradients of the weighted
       terms by the shared representation. What it returns, (K,) coefficients, replaces the plain sum of these gradients
       below the representation; None leaves the sum as it is;
    4. if `needs_weight_gradients`: `update_from_weight_gradients(gradients)`, with the gradients of the weighted terms by the
       trainable weights of the model, K lists of tensors.
    Evaluation calls `factors` only.

    State is kept in variables that `add_state` makes; they are saved with the model. Terms keep their static weights, which
    are multiplied in before the gradients are taken.

    Args:
        at: name of the `Tap` at the shared representation, or a list of names; by default the model's only one. Read by
            balancers that need gradients.
    """

    needs_gradients = False
    needs_weight_gradients = False
    shows_weights = True
    at = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        keep_old_methods(cls, _OLD_METHODS)

    def build(self, objective: Any) -> None:
        """Creates the state, once, when the model is compiled."""
        self._objective_add_weight = objective.add_weight
        self.count: int = len(objective.terms)
        self.create_state(self.count)

    def create_state(self, count: int) -> None:
        """Variables for `count` terms."""

    def add_state(
        self, name: str, shape: tuple[int, ...] = (), initializer: str = "zeros", dtype: DType = "float32"
    ) -> keras.Variable:
        """A variable that is no weight of the model; every replica writes the same into it."""
        return self._objective_add_weight(
            shape=shape, initializer=initializer, dtype=dtype, trainable=False, name=name, aggregation="only_first_replica"
        )

    def update_from_losses(self, values: Tensor, samples: Tensor, is_first: Tensor) -> None:
        """Sees the (K,) values of a training step.

        Args:
            values: (K,) values of the terms over the global batch.
            samples: number of samples in the batch, a scalar.
            is_first: boolean scalar, true in the first step of an epoch.
        """

    def factors(self) -> Tensor | None:
        """(K,) factors, or None for 1."""

    def update_from_gradients(self, gram: Tensor) -> Tensor | None:
        """Coefficients (K,) of the tasks' gradients, or None."""
        raise NotImplementedError(f"{type(self).__name__} must implement `update_from_gradients`.")

    def update_from_weight_gradients(self, gradients: list[list[Tensor]]) -> None:
        """Sees the gradients of the K weighted terms by each trainable weight, over the global batch (since 0.2)."""
        raise NotImplementedError(f"{type(self).__name__} must implement `update_from_weight_gradients`.")


def when(condition: Tensor, new: Tensor, variable: Any) -> None:
    """Assigns `new` to a variable where a boolean scalar holds."""
    variable.assign(ops.where(condition, ops.cast(new, variable.dtype), ops.convert_to_tensor(variable)))


def check_taps(at: Any) -> None:
    """Raises TypeError unless `at` is the name of a Tap, a list of names, or None."""
    names = [at] if isinstance(at, str) else at
    if at is not None and (
        not isinstance(names, (list, tuple)) or not names or not all(isinstance(n, str) and n for n in names)
    ):
        raise TypeError(f'`at` must be the name of a Tap, at="shared", or a list of names. Received: at={at!r}')
