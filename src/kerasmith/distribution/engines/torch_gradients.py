"""Gradients averaged over all processes before any optimizer of Keras uses them."""

import functools
from typing import Any

import keras
import torch

from kerasmith.distribution._alone import is_alone
from kerasmith.distribution._share_of_batch import share_of_batch
from kerasmith.distribution.engines.torch_collectives import Collectives

_AVERAGES = "_kerasmith_averages"


def average_in(optimizer: Any, collectives: Collectives) -> None:
    """Lets the `apply` of an optimizer's class begin with the mean of the gradients over all processes.

    The outermost `apply` does it, before gradients are tested for overflow, clipped, or added up over several steps, so that
    all processes take the same branch. Unlike PyTorch's own reducer it does not ask that every variable is used in each step.
    """
    for cls in type(optimizer).__mro__:
        own = vars(cls).get("apply")
        if own is not None and not getattr(own, _AVERAGES, False):
            setattr(cls, "apply", _averaging(own, collectives))  # noqa: B010  a class of Keras


def _averaging(own, collectives):
    @functools.wraps(own)
    def apply(self: Any, grads: Any, trainable_variables: Any = None) -> Any:
        if not _DEPTH and not is_alone():
            grads = averaged(list(grads), trainable_variables, collectives)
        _DEPTH.append(self)
        try:
            return own(self, grads, trainable_variables)
        finally:
            _DEPTH.pop()

    setattr(apply, _AVERAGES, True)
    return apply


# The optimizers whose `apply` is under way: one may hold another.
_DEPTH: list[Any] = []


def averaged(gradients: list[Any], variables: Any, collectives: Collectives) -> list[Any]:
    """The mean of gradients over all processes.

    A variable that a process has no gradient for counts as 0 there, and has none where no process has one.

    Args:
        gradients: tensors or None.
        variables: those that they belong to, or None if all gradients are given.
        collectives: the exchanges.
    """
    shapes = [None] * len(gradients) if variables is None else list(variables)
    given = torch.tensor([float(one is not None) for one in gradients], device=collectives.device)
    part = share_of_batch()
    is_empty = part is not None and part.own == 0
    tensors = [
        torch.zeros_like(variable.value) if gradient is None else _copy(gradient, is_empty)
        for gradient, variable in zip(gradients, shapes, strict=True)
        if gradient is not None or variable is not None
    ]
    collectives.sum_many_([*tensors, given])
    parts, known = iter(tensors), given.tolist()
    return [
        next(parts) / collectives.count if number else _skip(parts, gradient, variable)
        for number, gradient, variable in zip(known, gradients, shapes, strict=True)
    ]


def _copy(gradient, is_empty):
    # Layers that divide by the number of samples, such as batch normalisation, give NaN where a process has none.
    return torch.nan_to_num(gradient.detach(), 0.0, 0.0, 0.0) if is_empty else gradient.detach().clone()


def _skip(parts, gradient, variable):
    if gradient is not None or variable is not None:
        next(parts)


def optimizers_of(model: keras.Model) -> list[Any]:
    """Every optimizer of Keras that a model holds as an attribute, and those that these hold."""
    found = [value for value in vars(model).values() if isinstance(value, keras.optimizers.Optimizer)]
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and not any(optimizer is one for one in found):
        found.append(optimizer)
    for one in list(found):
        found += [value for value in vars(one).values() if isinstance(value, keras.optimizers.Optimizer)]
    return found
