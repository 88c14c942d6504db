"""Every variable that a training step reads or writes: weights, seeds, optimizer and metrics."""

import re
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasmith.keras_internals import fit_call

_COUNTER = re.compile(r"_\d+(?=/|_|$)")


def named_variables(model: keras.Model) -> dict[str, Any]:
    """{name: variable} of weights and seed states, optimizer and metrics, in a fixed order.

    A name is the end of the variable's path without Keras' counters (`dense_3/kernel` is `dense/kernel`, as layers get other
    numbers when a notebook builds the model a second time) and the place among those of the same name.
    """
    groups = {
        "model": model.variables,
        "optimizer": [variable for optimizer in optimizers(model) for variable in optimizer.variables],
        "metrics": [variable for metric in model.metrics for variable in metric.variables],
    }
    found, seen, counts = {}, set(), {}
    for group, variables in groups.items():
        for variable in variables:
            if id(variable) in seen:
                continue
            seen.add(id(variable))
            # An optimizer's variables have other paths when the first step makes them than when `build` does.
            parts = variable.path.split("/")[-2 if group == "model" else -1 :]
            name = f"{group}:{_COUNTER.sub('', '/'.join(parts))}"
            counts[name] = counts.get(name, -1) + 1
            # Replicas of TensorFlow may hold different values of one variable, such as the statistics of a batch norm.
            replicas = getattr(variable.value, "values", None)
            if isinstance(replicas, tuple) and len(replicas) > 1:
                found.update({f"{name}#{counts[name]}@{i}": part for i, part in enumerate(replicas)})
            else:
                found[f"{name}#{counts[name]}"] = variable
    return found


def optimizers(model: keras.Model) -> list[keras.optimizers.Optimizer]:
    """The optimizer of `compile`, and those that a model with a training step of its own keeps as attributes."""
    own = [value for value in vars(model).values() if isinstance(value, keras.optimizers.Optimizer)]
    return list({id(one): one for one in (getattr(model, "optimizer", None), *own) if one is not None}.values())


def values(model: keras.Model) -> dict[str, np.ndarray]:
    """{name: array}, copies that later steps do not change."""
    return {name: np.array(ops.convert_to_numpy(variable)) for name, variable in named_variables(model).items()}


def assign(model: keras.Model, saved: Any) -> None:
    """Gives each variable the value that `values` has returned for it; variables without one stay as they are."""
    for name, variable in named_variables(model).items():
        if name in saved:
            variable.assign(saved[name])


def build(model: keras.Model, fit: Any, wanted: Any = None) -> None:
    """Makes variables that Keras would make in the first training step.

    Args:
        fit: `fit_call.find()`.
        wanted: names that are needed; None for the weights and those of the optimizer.
    """

    def is_there():
        if wanted is not None:
            return set(wanted) <= set(named_variables(model))
        return model.built and model.optimizer.built

    for make in (_build_optimizer, _evaluate_a_batch, _build_optimizer):
        if is_there():
            return
        make(model, fit)


def _build_optimizer(model, fit):
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and model.built and not optimizer.built:
        optimizer.build(model.trainable_variables)


def _evaluate_a_batch(model, fit):
    batch = None if fit is None else fit_call.first_batch(fit)
    if batch is not None:
        model.test_on_batch(*batch)


def differences(model: keras.Model, saved: Any) -> list[str]:
    """What keeps saved values from fitting a model, as a list of sentences; empty if they fit.

    Optimizers and metrics may have variables that the saved values lack: they were not made yet when these were taken.
    """
    here = named_variables(model)
    found = [
        f"{name} has shape {tuple(here[name].shape)} here and {tuple(value.shape)} in the checkpoint"
        for name, value in saved.items()
        if name in here and tuple(here[name].shape) != tuple(value.shape)
    ]
    found += [f"{name} is in the checkpoint only" for name in saved if name not in here]
    if any(name.startswith("model:") for name in saved):
        found += [f"{name} is in this model only" for name in here if name.startswith("model:") and name not in saved]
    return found
