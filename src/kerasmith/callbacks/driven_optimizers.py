"""The optimizers whose learning rate a callback sets, and what is said where that is not clear."""

from collections.abc import Sequence
from typing import Any

import keras

from kerasmith._types import Logs
from kerasmith.keras_internals.learning_rate import rates_of, steps_done
from kerasmith.keras_internals.optimizers import (
    build_compiled_optimizer,
    has_own_step,
    is_inside,
    training_optimizers,
    without_wrappers,
)
from kerasmith.keras_internals.owned import owned


def check_places(optimizer: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """The argument `optimizer` of a callback as a tuple of places, or None.

    >>> check_places("d_optimizer"), check_places(["d_optimizer", "g_optimizer"]), check_places(None)
    (('d_optimizer',), ('d_optimizer', 'g_optimizer'), None)
    """
    places = (optimizer,) if isinstance(optimizer, str) else optimizer
    if places is None:
        return None
    if not isinstance(places, Sequence) or not places or not all(isinstance(place, str) for place in places):
        raise TypeError(
            '`optimizer` must be None, the place of an optimizer in the model, such as "d_optimizer" for '
            f"`model.d_optimizer`, or a list of them. Received: optimizer={optimizer!r}"
        )
    return tuple(places)


def driven_optimizers(
    model: keras.Model, places: Sequence[str] | None, who: str, call: str, several: bool = False
) -> dict[str, Any]:
    """{place: optimizer} of those that a callback drives; of a loss-scaling optimizer the one inside.

    Args:
        model: a compiled model.
        places: what the user chose, or None.
        who: the callback's name, for errors.
        call: how to write it with the argument, with {} for that, for errors.
        several: whether it may drive all optimizers of a model that has several.

    Raises:
        ValueError: where the model has no optimizer, or several and none is chosen, or not the chosen one.
    """
    build_compiled_optimizer(model)  # a `MultiOptimizer` knows those inside then
    found = training_optimizers(model)
    if not found:
        foreign = owned(model).foreign
        of_torch = [place for place, one in foreign.items() if hasattr(one, "param_groups")]
        if of_torch:
            raise ValueError(
                f"{who} sets the learning rate of an optimizer of Keras, and `model.{of_torch[0]}` is one of PyTorch. Step "
                "one of `torch.optim.lr_scheduler` in your `train_step`, or train by `keras.optimizers`."
            )
        raise ValueError(
            f"{who} sets the learning rate of the model's optimizer, and the model has none (`compile(optimizer=None)`, or an "
            "optimizer that is no attribute of the model). Write model.compile(optimizer=...), or keep the optimizer as an "
            f"attribute such as `model.my_optimizer` and write {_written(call, 'my_optimizer')}."
        )
    if places is not None:
        known = {**owned(model).optimizers, **found}
        wrong = [place for place in places if place not in known]
        if wrong:
            raise ValueError(f"{who}: the model has no optimizer {wrong[0]!r}. It has {_listed(known)}.")
        leaves = without_wrappers(known)
        return {inner: leaves[inner] for place in places for inner in leaves if inner == place or is_inside(inner, place)}
    if len(found) > 1 and not several:
        step = "a `train_step` of its own" if has_own_step(model) else "a `MultiOptimizer`"
        example = next((place for place in found if place != "optimizer"), "optimizer")
        raise ValueError(
            f"{who} sets the learning rate of one optimizer, and this model, which trains by {step}, has {len(found)}: "
            f"{_listed(found)}. Say which: {_written(call, example)}, or a list for the same rate in several."
        )
    return found


def check_can_train(model: keras.Model, who: str) -> None:
    """Refuses a model that Keras' own step cannot train.

    Raises:
        ValueError: it was compiled with `optimizer=None`.
    """
    has_none = getattr(model, "optimizer", None) is None and not has_own_step(model)
    if has_none and model.built and model.trainable_variables:
        raise ValueError(
            f"{who}: the model was compiled with `optimizer=None`, so that `fit` cannot train it. Write "
            'model.compile(optimizer="adam", ...), for instance.'
        )


def _written(call, place):
    """The call with the argument, as a user would write it."""
    return call.format(f'optimizer="{place}"')


def _listed(found):
    return ", ".join(f"{place!r} ({type(optimizer).__name__})" for place, optimizer in found.items())


class StepWatch:
    """Notices that no optimizer which a callback drives has made a step, in a model that trains by a step of its own.

    Args:
        model: the model.
        optimizers: {place: optimizer} that are driven.
        who, call: as in `driven_optimizers`.
    """

    def __init__(self, model: keras.Model, optimizers: dict[str, Any], who: str, call: str) -> None:
        self._model, self._optimizers, self._who, self._call = model, optimizers, who, call
        # Loss scaling leaves out steps: in Keras' own step, standing still is no fault.
        self._is_asked = has_own_step(model)
        self._before = self._steps() if self._is_asked else None

    def _steps(self):
        return {place: steps_done(one) for place, one in self._optimizers.items()}

    def check(self) -> None:
        """At the end of an epoch, or after a step.

        Raises:
            RuntimeError: none has made a step since this object was made; names the others of the model.
        """
        if not self._is_asked or self._steps() != self._before:
            return
        others = {place: one for place, one in owned(self._model).optimizers.items() if place not in self._optimizers}
        advice = (
            f"The model also has {_listed(others)}: write {_written(self._call, next(iter(others)))}."
            if others
            else f"Keep the one that trains as an attribute and write {_written(self._call, 'its_name')}."
        )
        raise RuntimeError(
            f"{self._who} sets the learning rate of {', '.join(map(repr, self._optimizers))}, which makes no step in this "
            f"model's own `train_step`. {advice}"
        )


def log_rates(optimizers: dict[str, Any], logs: Logs) -> None:
    """Adds the rates of the latest step to the logs of an epoch: `learning_rate`, of several `learning_rate_<place>` each."""
    for name, value in rates_of(optimizers).items():
        logs.setdefault(name, value)
