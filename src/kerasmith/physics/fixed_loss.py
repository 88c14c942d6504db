"""The loss of a model as a function of its weights, and a refusal where it is none."""

from typing import Any

import keras
import numpy as np

from kerasmith.keras_internals import compiled
from kerasmith.keras_internals.layers import all_layers
from kerasmith.keras_internals.loss_and_gradient import Evaluation, LossAndGradient
from kerasmith.keras_internals.step_updates import UnseenTraining
from kerasmith.multitask import GradNorm

_WITHOUT = "Of a Dropout write `layer.rate = 0.0` before `polish`; polish a model without other such layers."


def fixed_loss(model: keras.Model, batch: Any) -> LossAndGradient:
    """Loss and gradient of a compiled model on one batch, at weights of one's choice.

    What an objective counts and learns beside the gradient stands still: steps, schedules, the weights of a balancer.

    Raises:
        ValueError: if the model is not compiled, has nothing to train, or trains by something else than a gradient.
    """
    if not isinstance(model, keras.Model):
        raise TypeError(f"`model` must be a keras.Model. Received: model={model!r}")
    if not model.compiled:
        raise ValueError("The model has no loss. Write `model.compile(optimizer, loss)` first.")
    if getattr(getattr(model, "distribute_strategy", None), "num_replicas_in_sync", 1) > 1:
        raise ValueError("`polish` works with one replica. Build and polish the model outside of `strategy.scope()`.")
    objective = getattr(model, "objective", None)
    balance = getattr(objective, "balance", None)
    if getattr(balance, "needs_gradients", False) and not isinstance(balance, GradNorm):
        raise ValueError(
            f"{type(balance).__name__} changes the gradient into that of no loss, and L-BFGS needs the gradient of a loss. "
            "Compile the model with an objective without it for the polish."
        )
    if not (model.built and compiled.is_built(model)):
        compiled.build_on(model, batch)
    if not model.trainable_variables:
        raise ValueError("The model has no weights to train. Set `layer.trainable = True` where they are frozen.")
    _limits(model.trainable_variables)
    return LossAndGradient(model, batch, still=[] if objective is None else objective.variables)


def limits(loss: LossAndGradient) -> list[tuple[float | None, None]] | None:
    """(lowest, None) of each weight where a variable is constrained by `NonNeg`; None where no one is."""
    lowest = _limits(loss.variables)
    if all(value is None for value in lowest):
        return None
    each = loss.of_each_weight([-np.inf if value is None else value for value in lowest])
    return [(None if value == -np.inf else float(value), None) for value in each]


def _limits(variables):
    found = []
    for variable in variables:
        constraint = getattr(variable, "constraint", None)
        if constraint is not None and not isinstance(constraint, keras.constraints.NonNeg):
            raise ValueError(
                "L-BFGS-B keeps weights within bounds and knows no other constraint than NonNeg. Build the model without that "
                f"of {variable.path}. Received: {constraint!r}"
            )
        found.append(None if constraint is None else 0.0)
    return found


def at_the_start(model: keras.Model, loss: LossAndGradient, weights: np.ndarray) -> Evaluation:
    """The first evaluation.

    Raises:
        ValueError: if the loss or a gradient is not finite, if it is another one when it is asked again, or if the step would
            move what is no weight.
    """
    try:
        first = loss(weights)
    except UnseenTraining as problem:
        raise ValueError(
            f"`polish` follows the gradient of the one update that a step makes with `model.optimizer`. {problem}"
        ) from problem
    for variable, moved in zip(loss.checked, first.moved, strict=True):
        if moved:
            raise ValueError(_why_not(model, variable))
    refuse_nonfinite(loss, first)
    again = loss(weights)
    if not np.isclose(first.loss, again.loss, rtol=1e-5, atol=0):
        raise ValueError(
            f"L-BFGS needs a loss that is the same whenever it is asked. At the same weights this was {first.loss:.6g} and "
            f"then {again.loss:.6g}: something draws random numbers. {_random_layers(model)}"
        )
    return first


def refuse_nonfinite(loss: LossAndGradient, found: Evaluation) -> None:
    """Raises ValueError that names the terms or the variables with a value that is not finite."""
    if not np.isfinite(found.loss):
        terms = [f"{name} is {value}" for name, value in found.logs.items() if not np.isfinite(value)]
        raise ValueError(
            f"The loss is {found.loss} at the weights that the model has{': ' if terms else ''}{', '.join(terms)}. Train with "
            "a smaller learning rate, or load weights of an earlier epoch; `callbacks.NumericsGuard` finds the operation."
        )
    wrong = np.flatnonzero(~np.isfinite(found.gradient))
    if len(wrong):
        paths = list(dict.fromkeys(loss.owner(position).path for position in wrong))
        raise ValueError(
            f"The loss is finite, {found.loss:.6g}, but not its gradient by {', '.join(paths[:5])}. A root, a logarithm or "
            "a division has no derivative there; `callbacks.NumericsGuard` finds the operation."
        )


def _random_layers(model):
    found = [layer for layer in all_layers(model) if getattr(layer, "seed_generator", None) is not None]
    if not found:
        return "Polish with points, labels and a model that stay as they are."
    layer = found[0]
    return f"The layer {layer.name!r} ({type(layer).__name__}) does. {_WITHOUT}"


def _why_not(model, variable):
    owners = [layer for layer in all_layers(model) if any(own is variable for own in layer.variables)]
    layer = min(owners, key=lambda one: len(one.variables), default=model)
    what = f"the layer {layer.name!r} ({type(layer).__name__})"
    if "seed_generator" in variable.path:
        return (
            "L-BFGS needs a loss that is the same whenever it is asked, but "
            f"{what} draws random numbers in training. {_WITHOUT}"
        )
    return (
        f"L-BFGS asks for the loss several times a step, but {what} moves {variable.path} each time, which would leave its "
        "averages wrong. Write `layer.trainable = False`, with which a batch normalisation keeps its averages, or use "
        "LayerNormalization."
    )
