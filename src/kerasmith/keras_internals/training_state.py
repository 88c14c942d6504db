"""Where a running `fit` keeps its state: the first epoch, unfinished hooks, JAX's weights, the last look at the weights."""

from collections.abc import Callable

import keras

from kerasmith._types import Tensor


def begin_at(model: keras.Model, epoch: int | None) -> None:
    """Has the `fit` that is about to begin its first epoch begin in this one; None leaves it to `initial_epoch`."""
    _need(model, "_initial_epoch")
    model._initial_epoch = epoch


def finish_hooks(callbacks: keras.callbacks.CallbackList) -> None:
    """Waits for the `end` hooks of callbacks that Keras runs in a thread of its own."""
    callbacks._flush_futures()


def weights_now(model: keras.Model, positions: list[int]) -> list[Tensor] | None:
    """The trainable weights at these positions where they are not in the variables, as between two steps of JAX; else None."""
    if keras.backend.backend() != "jax":
        return None
    _need(model, "_jax_state_synced")
    state = getattr(model, "_jax_state", None)
    if not state or model._jax_state_synced:
        return None
    return [state["trainable_variables"][i] for i in positions]


def before_final_weights(optimizer: keras.optimizers.Optimizer, function: Callable[[], None]) -> None:
    """Has `function` called before Keras, at the end of `fit`, puts averaged weights in the place of the trained ones."""
    finalize = own_final_weights(optimizer)

    def call_and_finalize(var_list):
        function()
        finalize(var_list)

    optimizer.finalize_variable_values = call_and_finalize


def own_final_weights(optimizer: keras.optimizers.Optimizer) -> Callable[[list], None]:
    """Keras' own method, put back; an earlier `fit` may have ended with an exception."""
    vars(optimizer).pop("finalize_variable_values", None)
    return optimizer.finalize_variable_values


def _need(model: keras.Model, name: str) -> None:
    if not hasattr(model, name):
        raise RuntimeError(
            f"Keras {keras.__version__} has no `Model.{name}`, which this callback cannot do without. Use an older Keras or "
            "a newer kerasmith."
        )
