"""Finds the first place in a step of the user's own that is not finite, such as that of a GAN with two optimizers."""

from collections.abc import Callable
from typing import Any

import keras

from kerasmith.callbacks.numerics_guard.origin import Origin, in_calls
from kerasmith.keras_internals.device_state import is_finite
from kerasmith.keras_internals.layer_trace import traced
from kerasmith.keras_internals.optimizers import trained_variables
from kerasmith.keras_internals.owned import owned
from kerasmith.keras_internals.step_updates import replaced_updates, run_eagerly

_MOST_NAMES = 6


class _Found(Exception):
    """Ends the step where its first fault is."""

    def __init__(self, origin):
        super().__init__(origin)
        self.origin = origin


def in_own_step(model: keras.Model, batch: Any, reset: Callable[[], None]) -> Origin | None:
    """The `Origin` in a step from a given state: the layer, or the variable whose gradient or update is not finite, or None.

    Makes the step eagerly, with its updates, and looks before and after each of them.

    Args:
        model: a model that trains by a `train_step` of its own.
        batch: what the data gives for one step.
        reset: () -> None; gives the model's variables their values before the step.
    """
    reset()
    names = {id(one): place for place, one in owned(model).optimizers.items()}
    order = {id(variable): i for i, variable in enumerate(model.variables)}

    with traced(model) as calls:

        def look_at_layers():
            # While JAX differentiates, what a layer gives are no numbers.
            origin = None if keras.backend.backend() == "jax" else in_calls(model, calls, None)
            if origin is not None:
                raise _Found(origin)

        def look_at(optimizer, tensors, variables, what):
            bad = [variable for tensor, variable in zip(tensors, variables) if tensor is not None and not is_finite(tensor)]
            if bad:
                bad = [variable.path for variable in sorted(bad, key=lambda v: order.get(id(v), len(order)))]
                listed = ", ".join(bad[:_MOST_NAMES]) + (f" and {len(bad) - _MOST_NAMES} more" if bad[_MOST_NAMES:] else "")
                place = names.get(id(optimizer), optimizer.name)
                raise _Found(Origin("weight", bad[0], f"{what} with `{place}` in the model's own `train_step`: {listed}"))

        def observed(name, update):
            def call(self, *args, **kwargs):
                look_at_layers()
                arguments = [*args, *kwargs.values()]
                grads = arguments[1 if name == "stateless_apply" else 0]
                given = kwargs.get("trainable_variables", args[1] if name == "apply" and args[1:] else None)
                variables = given if name == "apply" and given is not None else trained_variables(self)
                if getattr(self, "dynamic_scale", None) is None:  # loss scaling leaves out such a step
                    look_at(self, grads, variables, "Not finite are the gradients in the update")
                result = update(self, *args, **kwargs)
                if name == "apply":
                    now = [*variables, *self.variables]
                    look_at(self, now, now, "The gradients are finite. Not finite is what they were made of in the update")
                return result

            return call

        try:
            with replaced_updates(observed):
                run_eagerly(model, batch)
            look_at_layers()
        except _Found as found:
            return found.origin
    return None
