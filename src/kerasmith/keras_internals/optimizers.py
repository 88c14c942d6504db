"""Which optimizers train a model, and what each of them trains."""

from typing import Any

import keras

from kerasmith.keras_internals.owned import owned

# The steps of these packages train with `model.optimizer`.
_KNOWN = ("keras", "kerasmith")


def has_own_step(model: keras.Model) -> bool:
    """Whether a model trains by a `train_step` or `make_train_function` of the user's own, or of ours for two optimizers."""
    if getattr(type(model), "trains_by_own_step", False):
        return True
    functions = (getattr(type(model), name, None) for name in ("train_step", "make_train_function"))
    own = vars(model).get("train_step")
    modules = [getattr(one, "__module__", "") for one in (*functions, own) if one is not None]
    return any(module.partition(".")[0] not in _KNOWN for module in modules)


def training_optimizers(model: keras.Model) -> dict[str, Any]:
    """{place: optimizer} of those that may train a model: without others inside, which are there in their place.

    In Keras' own step these are `model.optimizer` or those inside; in a step of the user's own all that the model has.
    """
    found = owned(model).optimizers
    if not has_own_step(model):
        found = {place: one for place, one in found.items() if place == "optimizer" or place.startswith("optimizer.")}
    return without_wrappers(found)


def without_wrappers(found: dict[str, Any]) -> dict[str, Any]:
    """{place: optimizer} of those that have no other inside."""
    return {place: one for place, one in found.items() if not any(is_inside(other, place) for other in found)}


def is_inside(place: str, other: str) -> bool:
    """Whether what is at a place is a part of what is at the other.

    >>> is_inside("optimizer.inner_optimizer", "optimizer"), is_inside("optimizers[0]", "optimizer")
    (True, False)
    """
    return place.startswith((f"{other}.", f"{other}["))


def only_optimizer(model: keras.Model) -> Any:
    """The optimizer that trains a model, or None where there are several, or none."""
    found = training_optimizers(model)
    return next(iter(found.values())) if len(found) == 1 else None


def build_optimizer(optimizer: Any, variables: list[keras.Variable]) -> None:
    """Makes the variables of an optimizer that has not made a step yet; leaves one that has."""
    if not optimizer.built:
        optimizer.build(variables)


def build_compiled_optimizer(model: keras.Model) -> None:
    """The same for `model.optimizer`, as `fit` would."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and model.built:
        build_optimizer(optimizer, model.trainable_variables)


def trained_variables(optimizer: Any) -> list[keras.Variable]:
    """The variables that an optimizer was built for, in the order of its slots."""
    return list(getattr(optimizer, "_trainable_variables", ()))


def initial_values(optimizer: Any) -> list[Any]:
    """What the variables of a built optimizer began with, in their order."""
    fresh = type(optimizer).from_config(optimizer.get_config())
    fresh.build(trained_variables(optimizer))
    return [variable.value for variable in fresh.variables]
