"""What `compile` was given, before and after Keras has built it."""

import inspect
from typing import Any

import keras
from keras import tree

from kerasmith._types import Config


def metrics_given(model: keras.Model) -> list[Any]:
    """The metrics given to `compile`: objects and names. Keras takes them up with the first batch only."""
    compiled = getattr(model, "_compile_metrics", None)
    if compiled is None:
        return []
    return [one for one in tree.flatten([compiled._user_metrics, compiled._user_weighted_metrics]) if one is not None]


def losses_by_output(model: keras.Model) -> list[tuple[tuple[Any, ...], keras.losses.Loss, Any]]:
    """(path into the outputs, loss, its factor or None) of each compiled loss; [] before the first batch or without one."""
    compiled = getattr(model, "_compile_loss", None)
    if compiled is None or not compiled.built:
        return []
    return [(path, loss, factor) for path, loss, factor, _ in compiled._flat_losses]


def loss_trackers(model: keras.Model) -> list[keras.metrics.Metric]:
    """Keras' means of the losses of several outputs."""
    return list(getattr(getattr(model, "_compile_loss", None), "metrics", ()))


def forget_loss(model: keras.Model) -> None:
    """Takes away the loss of an earlier `compile`, which Keras keeps where the new one is None."""
    model._compile_loss = model.loss = None


def is_built(model: keras.Model) -> bool:
    """Whether the compiled metrics and losses have their variables."""
    parts = (getattr(model, "_compile_metrics", None), getattr(model, "_compile_loss", None))
    return all(part is None or part.built for part in parts)


def build_on(model: keras.Model, batch: Any) -> None:
    """Builds all that Keras builds in the first step, from one batch.

    Raises:
        Exception: whatever a model raises that only its own step can build.
    """
    model._symbolic_build(data_batch=batch)


def wrap_loss(loss: Any) -> Any:
    """A loss function or object as `compile` wraps it."""
    from keras.src.losses.losses import LossFunctionWrapper

    return LossFunctionWrapper(loss)


def loss_wrapper() -> type:
    """The class of Keras' losses that wrap a function, such as `MeanSquaredError`."""
    from keras.src.losses.losses import LossFunctionWrapper

    return LossFunctionWrapper


def function_arguments(loss: keras.losses.Loss) -> Config:
    """What a loss of Keras passes to its function, such as the delta of `Huber`; {} for others.

    Keras leaves some of it out of `get_config`.
    """
    return dict(loss._fn_kwargs) if isinstance(loss, loss_wrapper()) else {}


def forgotten_arguments(loss: keras.losses.Loss) -> Config:
    """Constructor arguments that a loss of Keras leaves out of its own config."""
    known = inspect.signature(type(loss).__init__).parameters
    return {k: v for k, v in function_arguments(loss).items() if k in known and k not in loss.get_config()}
