"""Training steps of a model with several optimizers, written once for the three backends.

A step reads and assigns variables. On JAX it runs in a stateless scope that holds the state which Keras hands over, and what
is differentiated runs in a scope of its own inside of that.
"""

import contextlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import tree

from kerasmith._types import Tensor
from kerasmith.keras_internals.compiled import is_built
from kerasmith.keras_internals.inner_state import inner_state
from kerasmith.keras_internals.layers import all_layers


class OwnSteps:
    """Mixin for `keras.Model`: `fit` and `evaluate` by `step(batch, training) -> logs`, after `build_on(batch)`.

    `model.optimizer` is an `OptimizerGroup`.
    """

    # What `has_own_step` asks.
    trains_by_own_step = True

    def step(self, batch: Any, training: bool) -> dict[str, Any]:
        """One step on what the data gives for it; reads and assigns variables, and returns what `fit` shows."""
        raise NotImplementedError

    def build_on(self, batch: Any) -> None:
        """Makes all variables that `step` needs; of a batch there are the shapes and dtypes, as `KerasTensor`s."""
        raise NotImplementedError

    def train_step(self, *args: Any) -> Any:
        return self._on_state(args, training=True)

    def test_step(self, *args: Any) -> Any:
        return self._on_state(args, training=False)

    def _on_state(self, args, training):
        if keras.backend.backend() != "jax":
            if keras.backend.backend() == "tensorflow" and not self._is_ready():
                with sys.modules["tensorflow"].init_scope():
                    self.build_on(tree.map_structure(_symbolic, args[0]))
            return self.step(args[0], training)
        state, batch = args
        groups = [self.trainable_variables, self.non_trainable_variables, self.optimizer.variables, self.metrics_variables]
        groups = groups if training else [*groups[:2], groups[3]]
        pairs = [pair for group, values in zip(groups, state, strict=True) for pair in zip(group, values, strict=True)]
        with keras.StatelessScope(state_mapping=pairs) as scope:
            logs = self.step(batch, training)
        return logs, tuple([scope.get_current_value(variable) for variable in group] for group in groups)

    def _symbolic_build(self, iterator=None, data_batch=None):
        # Keras would call the model on `x`, which need not be what its `call` takes.
        if not self._is_ready():
            if data_batch is None:
                for _, _, source in iterator:
                    data_batch = source[0] if isinstance(source, (list, tuple)) else next(source)
                    break
            self.build_on(tree.map_structure(_symbolic, data_batch))
        self._post_build()

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # On replicas Keras takes the mean of the first batch over them, which fails where they have unequal shares.
        if not self._is_ready():
            super()._maybe_symbolic_build(iterator=iterator, data_batch=data_batch)

    @property
    def metrics_are_built(self) -> bool:
        """Whether the metrics of `compile` have their variables."""
        return is_built(self)

    def _is_ready(self):
        return self.metrics_are_built and self.optimizer.built and all(layer.built for layer in all_layers(self))


class OptimizerGroup:
    """Several optimizers in the place of `model.optimizer`, where Keras reads and writes their variables.

    Args:
        optimizers: {attribute of the model: optimizer}.
        trained: () -> lists of the variables that each of them trains.
    """

    def __init__(self, optimizers: dict[str, Any], trained: Callable[[], list[list[keras.Variable]]]) -> None:
        self.optimizers = optimizers
        self._trained = trained

    @property
    def variables(self) -> list[keras.Variable]:
        """Those of all of them."""
        return [variable for optimizer in self.optimizers.values() for variable in optimizer.variables]

    @property
    def built(self) -> bool:
        """Whether each has its variables."""
        return all(optimizer.built for optimizer in self.optimizers.values())

    def build(self, variables: Any = None) -> None:
        """Makes their variables, of those that have none."""
        for optimizer, trained in zip(self.optimizers.values(), self._trained(), strict=True):
            if not optimizer.built and trained:
                optimizer.build(trained)

    def finalize_variable_values(self, variables: Any) -> None:
        """What Keras calls at the end of `fit` for averages of weights, which none of these takes."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        places = " and ".join(f"`model.{place}`" for place in self.optimizers)
        raise AttributeError(
            f"This model has no single optimizer whose `{name}` could be meant: it trains with {places}. Take one of them, "
            f"such as `model.{next(iter(self.optimizers))}.{name}`; a callback such as `kerasmith.callbacks.ScheduleLR` takes "
            f"`optimizer={next(iter(self.optimizers))!r}`."
        )


def gradients_of(function: Callable[[], tuple[Tensor, Any]], variables: Sequence[keras.Variable], optimizer: Any) -> Any:
    """(gradients of the scaled loss by the variables, aux) where `function` returns (loss, aux) and may assign variables."""
    return _GRADIENTS[keras.backend.backend()](function, list(variables), optimizer)


def apply_gradients(optimizer: Any, gradients: Sequence[Tensor], variables: Sequence[keras.Variable]) -> None:
    """One update by an optimizer, in a step."""
    if keras.backend.backend() == "jax":
        # Loss scaling chooses between two updates, which may assign nothing.
        state = [variable.value for variable in optimizer.variables]
        new, state = optimizer.stateless_apply(state, list(gradients), [variable.value for variable in variables])
        for variable, value in zip([*variables, *optimizer.variables], [*new, *state], strict=True):
            variable.assign(value)
        return
    with without_gradients():
        optimizer.apply(list(gradients), list(variables))


def without_gradients() -> contextlib.AbstractContextManager[Any]:
    """A context in which PyTorch keeps nothing for a gradient; elsewhere what is not differentiated keeps nothing anyway."""
    return sys.modules["torch"].no_grad() if keras.backend.backend() == "torch" else contextlib.nullcontext()


def added_losses(layer: keras.layers.Layer, with_weights: bool = True) -> list[Tensor]:
    """What a layer gave to `add_loss` in its last call, and the regularisers of its weights, each a scalar."""
    losses = list(layer.losses)
    of_weights = sum(variable.regularizer is not None for variable in layer.trainable_weights)
    return losses if with_weights or not of_weights else losses[:-of_weights]


def _tensorflow(function, variables, optimizer):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss, aux = function()
        loss = optimizer.scale_loss(loss)
    return tape.gradient(loss, [variable.value for variable in variables]), aux


def _torch(function, variables, optimizer):
    torch = sys.modules["torch"]
    loss, aux = function()
    loss = optimizer.scale_loss(loss)
    return list(torch.autograd.grad(loss, [variable.value for variable in variables], allow_unused=True)), aux


def _jax(function, variables, optimizer):
    import jax

    states = []

    def scaled(values):
        with inner_state(list(zip(variables, values, strict=True))) as state:
            loss, aux = function()
            loss = optimizer.scale_loss(loss)
        states.append(state)
        return loss, (aux, state.values)

    gradients, (aux, assigned) = jax.grad(scaled, has_aux=True)([variable.value for variable in variables])
    states[-1].assign(assigned)
    return gradients, aux


_GRADIENTS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}


def _symbolic(array):
    return None if array is None else keras.KerasTensor(array.shape, keras.backend.standardize_dtype(array.dtype))
