"""Which optimizers train a model, and what each of them trains."""

from typing import Any

import keras

from kerasmith.keras_internals.owned import owned

# The steps of these packages train with `model.optimizer`.
_KNOWN = ("keras", "kerasmith")


def has_own_step(model: keras.Model) -> bool:
    """Whether a model trains by a `train_step` or `make_train_function` of the user's own."""
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
    return {place: one for place, one in found.items() if not _inside(place, found)}


def wrapper_of(place: str, optimizers: dict[str, Any]) -> str:
    """The place of the outermost optimizer around the one at a place; its own if there is none."""
    return next((other for other in optimizers if place.startswith((f"{other}.", f"{other}["))), place)


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


def _inside(place, found):
    """The places of the optimizers that the one at `place` has inside."""
    return [other for other in found if other.startswith((f"{place}.", f"{place}["))]
