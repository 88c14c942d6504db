"""A training step run beside the training: with updates that only look, or none, and without a trace."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras

from kerasmith.keras_internals import random_state
from kerasmith.keras_internals.optimizers import has_own_step


class UnseenTraining(Exception):
    """The model trains by something else than one update with `model.optimizer`."""


@contextlib.contextmanager
def intercepted(model: keras.Model) -> Iterator[list[tuple[list, list]]]:
    """A context in which `model.optimizer` notes gradients and changes nothing; gives a list of pairs (gradients, variables).

    Raises:
        UnseenTraining: where any other optimizer, of the model or not, is about to make a step; none does. In a step of the
            user's own also where there was not one update in all.
    """
    caught, optimizer = [], model.optimizer

    def apply(grads, trainable_variables=None):
        caught.append((list(grads), list(trainable_variables or ())))

    def stateless_apply(optimizer_variables, grads, trainable_variables):
        caught.append((list(grads), list(trainable_variables)))
        return trainable_variables, optimizer_variables

    with _no_other_updates():
        # Not by `setattr`, which Keras watches.
        object.__setattr__(optimizer, "apply", apply)
        object.__setattr__(optimizer, "stateless_apply", stateless_apply)
        try:
            yield caught
        finally:
            for name in ("apply", "stateless_apply"):
                optimizer.__dict__.pop(name, None)
    if len(caught) != 1 and has_own_step(model):
        raise UnseenTraining(f"The training step makes {len(caught)} updates.")


@contextlib.contextmanager
def _no_other_updates():
    """A context in which every optimizer refuses to make a step, whoever holds it."""

    def refuse(*args, **kwargs):
        raise UnseenTraining("The training step has an optimizer of its own.")

    hook = None
    if keras.backend.backend() == "torch":
        from torch.optim.optimizer import register_optimizer_step_pre_hook

        hook = register_optimizer_step_pre_hook(refuse)
    try:
        with replaced_updates(lambda name, update: refuse):
            yield
    finally:
        if hook is not None:
            hook.remove()


@contextlib.contextmanager
def replaced_updates(replacement: Callable[[str, Callable], Callable]) -> Iterator[None]:
    """A context in which every class of optimizers has other methods `apply` and `stateless_apply`.

    Args:
        replacement: (name, method) -> the method in its place.
    """
    replaced = []
    try:
        for cls in _with_subclasses(keras.optimizers.Optimizer):
            for name in ("apply", "stateless_apply"):
                if name in vars(cls) or cls is keras.optimizers.Optimizer:
                    function = replacement(name, getattr(cls, name))
                    replaced.append((cls, name, vars(cls).get(name)))
                    setattr(cls, name, function)
        yield
    finally:
        for cls, name, own in replaced:
            if own is None:
                delattr(cls, name)
            else:
                setattr(cls, name, own)


def _with_subclasses(cls):
    return [cls, *(found for child in cls.__subclasses__() for found in _with_subclasses(child))]


@contextlib.contextmanager
def as_if_never_run(model):
    """A context after which a step of the user's own has moved no random generator and no plain attribute of the model."""
    if not has_own_step(model):
        yield
        return
    names, plain = set(vars(model)), _plain_attributes(model)
    random = random_state.capture()
    try:
        yield
    finally:
        random_state.restore(random)
        for name in {*_plain_attributes(model)} - names:
            delattr(model, name)
        for name, value in plain.items():
            if vars(model).get(name) is not value:
                setattr(model, name, value)


def _plain_attributes(model):
    return {name: value for name, value in vars(model).items() if isinstance(value, (int, float, str, type(None)))}


def run_eagerly(model: keras.Model, batch: Any) -> None:
    """The model's `train_step`, not compiled; of a user's own, plain attributes and random generators stay as they are."""
    with as_if_never_run(model):
        if keras.backend.backend() == "jax":
            model.train_step(_jax_state(model), batch)
        else:
            model.train_step(batch)


def _jax_state(model):
    groups = (
        model.trainable_variables,
        model.non_trainable_variables,
        getattr(model.optimizer, "variables", []),
        model.metrics_variables,
    )
    return tuple([variable.value for variable in group] for group in groups)
