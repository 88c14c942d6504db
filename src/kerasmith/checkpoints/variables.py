"""Every variable that a training step reads or writes: weights, seeds, optimizers, metrics and what else a model keeps."""

import re
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasmith.keras_internals import fit_call
from kerasmith.keras_internals.layer_names import named_by_keras
from kerasmith.keras_internals.optimizers import build_compiled_optimizer, build_optimizer, has_own_step, trained_variables
from kerasmith.keras_internals.owned import owned

_COUNTER = re.compile(r"_\d+(?=/|_|$)")
# What Keras numbers by itself: the generator of a Dropout, which cannot name it, and the weights of a module of PyTorch.
_UNNAMED = re.compile(r"seed_generator_\d+|variable(_\d+)?")


def named_variables(model: keras.Model, as_before: bool = False) -> dict[str, Any]:
    """{name: variable} of weights and seed states, optimizers and metrics, and all others, in a fixed order.

    A name is the end of the variable's path without Keras' counters (`dense_3/kernel` is `dense/kernel`, as layers get other
    numbers when a notebook builds the model a second time) and the place among those of the same name.

    Args:
        model: the model.
        as_before: the names in checkpoints of kerasmith 0.1, which did not tell optimizers apart.
    """
    return _named(model, owned(model), as_before)


def _named(model, own, as_before=False):
    found, seen, counts = {}, set(), {}
    for group, variables in _groups(model, own, as_before):
        for variable in variables:
            if id(variable) in seen:
                continue
            seen.add(id(variable))
            # An optimizer's variables have other paths when the first step makes them than when `build` does.
            parts = variable.path.split("/")[-2 if group in ("model", "other") else -1 :]
            name = f"{group}:{_COUNTER.sub('', '/'.join(parts))}"
            counts[name] = counts.get(name, -1) + 1
            # Replicas of TensorFlow may hold different values of one variable, such as the statistics of a batch norm.
            replicas = getattr(variable.value, "values", None)
            if isinstance(replicas, tuple) and len(replicas) > 1:
                found.update({f"{name}#{counts[name]}@{i}": part for i, part in enumerate(replicas)})
            else:
                found[f"{name}#{counts[name]}"] = variable
    return found


def _groups(model, own, as_before):
    yield "model", model.variables
    for place, optimizer in own.optimizers.items():
        if (as_before and place.isidentifier()) or place == "optimizer":
            yield "optimizer", optimizer.variables
        elif not as_before:
            yield f"optimizer {place}", optimizer.variables
    yield "metrics", [variable for metric in model.metrics for variable in metric.variables]
    if not as_before:
        yield "other", own.variables.values()


def values(model: keras.Model) -> dict[str, np.ndarray]:
    """{name: array}, copies that later steps do not change."""
    return _arrays(named_variables(model))


def values_and_owners(model: keras.Model) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """What `values` and `owners` return, after one walk over the model."""
    own = owned(model)
    named = _named(model, own)
    return _arrays(named), _owners(model, own, named)


def _arrays(named):
    return {name: np.array(ops.convert_to_numpy(variable)) for name, variable in named.items()}


def assign(model: keras.Model, saved: Any) -> None:
    """Gives each variable the value that `values` has returned for it; variables without one stay as they are."""
    for name, variable in named_variables(model).items():
        if name in saved:
            variable.assign(saved[name])


def owners(model: keras.Model) -> dict[str, Any]:
    """Whose the variables are, as plain data: what tells weights of the same name and shape apart.

    Returns:
        {"paths": {name of a weight: its path, in which a layer has a number only if the user gave it one},
        "optimizers": {place of an optimizer: names of the weights that its slots belong to, in their order}}
    """
    own = owned(model)
    return _owners(model, own, _named(model, own))


def _owners(model, own, named):
    names = {id(variable): name for name, variable in named.items()}
    by_keras = named_by_keras(model)

    def path(variable):
        parts = variable.path.split("/")
        return "/".join(_COUNTER.sub("", part) if part in by_keras or _UNNAMED.fullmatch(part) else part for part in parts)

    trained = {place: trained_variables(optimizer) for place, optimizer in own.optimizers.items()}
    return {
        "paths": {names[id(v)]: path(v) for v in model.variables if id(v) in names},
        "optimizers": {
            place: [names[id(v)] for v in variables]
            for place, variables in trained.items()
            if variables and all(id(v) in names for v in variables)
        },
    }


def build(model: keras.Model, fit: Any, wanted: Any = None, known: Any = None) -> None:
    """Makes variables that Keras would make in the first training step.

    Args:
        fit: `fit_call.find()`.
        wanted: names that are needed; None for the weights and those of the optimizer.
        known: what `owners` returned for the variables that are wanted; None for a checkpoint of 0.1.
    """

    def is_there():
        if wanted is not None:
            return set(wanted) <= set(named_variables(model, as_before=known is None))
        optimizer = getattr(model, "optimizer", None)
        return model.built and (optimizer is None or optimizer.built)

    optimizers = [lambda: _build_for_their_weights(model, known or {})]
    # A step of the user's own may have no use for the optimizer that `compile` has made.
    if known is None or not has_own_step(model):
        optimizers.append(lambda: build_compiled_optimizer(model))
    for make in (*optimizers, lambda: _evaluate_a_batch(model, fit), *optimizers):
        if is_there():
            return
        make()


def _build_for_their_weights(model, known):
    """Builds each optimizer of a step of the user's own for the weights that it had; Keras' own step builds its own."""
    if not has_own_step(model):
        return
    own = owned(model)
    named, optimizers = _named(model, own), own.optimizers
    for place, names in known.get("optimizers", {}).items():
        if place in optimizers and all(name in named for name in names):
            build_optimizer(optimizers[place], [named[name] for name in names])


def _evaluate_a_batch(model, fit):
    batch = None if fit is None else fit_call.first_batch(fit)
    if batch is None:
        return
    try:
        model.test_on_batch(*batch)
    except Exception:
        # A model that trains by a step of its own, such as a GAN, may have no other.
        if not has_own_step(model):
            raise


def differences(model: keras.Model, saved: Any, known: Any = None) -> list[str]:
    """What keeps saved values from fitting a model, as a list of sentences; empty if they fit.

    Optimizers, metrics and others may have variables that the saved values lack: they were not made yet when these were taken.

    Args:
        model: a built model.
        saved: what `values` returned.
        known: what `owners` returned then; None for a checkpoint of 0.1.
    """
    here = named_variables(model, as_before=known is None)
    found = [
        f"{name} has shape {tuple(here[name].shape)} here and {tuple(value.shape)} in the checkpoint"
        for name, value in saved.items()
        if name in here and tuple(here[name].shape) != tuple(value.shape)
    ]
    found += [f"{name} is in the checkpoint only" for name in saved if name not in here]
    if any(name.startswith("model:") for name in saved):
        found += [f"{name} is in this model only" for name in here if name.startswith("model:") and name not in saved]
    return found or _other_owners(owners(model), known or {})


def under_new_names(model: keras.Model, saved: Any) -> dict[str, Any]:
    """What a checkpoint of 0.1 has saved, by the names of now."""
    names = {id(variable): name for name, variable in named_variables(model).items()}
    before = {name: names.get(id(variable), name) for name, variable in named_variables(model, as_before=True).items()}
    return {before.get(name, name): value for name, value in saved.items()}


def _other_owners(here, there):
    """Values that have the right shape and belong to something else."""
    paths = there.get("paths", {})
    alike = {name for name in paths if f"{name.rpartition('#')[0]}#1" in paths}
    found = [
        f"{name} is {here['paths'][name]} here and {path} in the checkpoint"
        for name, path in paths.items()
        if name in alike and here["paths"].get(name, path) != path
    ]
    for place, names in there.get("optimizers", {}).items():
        now = here["optimizers"].get(place, names)
        if now != names:
            only_here, only_there = [n for n in now if n not in names] or now, [n for n in names if n not in now] or names
            found.append(f"`model.{place}` trains {', '.join(only_here)} here, {', '.join(only_there)} in the checkpoint")
    return found
