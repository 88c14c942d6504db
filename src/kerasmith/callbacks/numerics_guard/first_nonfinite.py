"""Finds the first place in one training step where a number is not finite."""

import contextlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from kerasmith.base import Loss
from kerasmith.callbacks.numerics_guard.nonfinite_report import named_arrays
from kerasmith.callbacks.numerics_guard.origin import Origin, bad_samples, in_calls
from kerasmith.callbacks.numerics_guard.own_step import in_own_step
from kerasmith.keras_internals.compiled import loss_trackers
from kerasmith.keras_internals.device_state import is_finite
from kerasmith.keras_internals.layer_trace import traced
from kerasmith.keras_internals.layers import takes_training
from kerasmith.keras_internals.optimizers import has_own_step, training_optimizers
from kerasmith.keras_internals.step_gradients import gradients_now
from kerasmith.objectives.step_record import recording
from kerasmith.objectives.task_gradients import tape_around


def first_nonfinite(model: keras.Model, batch: Any, reset: Callable[[], None], gradients: bool = True) -> Origin | None:
    """The `Origin` in the step from a given state, or None if all is finite up to the gradients.

    Args:
        model: a compiled model, built.
        batch: what the data gives for one step.
        reset: () -> None; gives the model's variables their values before the step. Each pass is made eagerly and moves
            metrics, seeds and moving averages; the last one leaves them so.
        gradients: whether those are looked at.
    """
    origin = in_inputs(batch)
    if origin is None and has_own_step(model) and len(training_optimizers(model)) > 1:
        return in_own_step(model, batch, reset)
    if origin is None:
        reset()
        origin = _in_forward(model, batch)
    if origin is None and gradients:
        origin = _in_gradients(model, batch, reset)
    return origin


def in_inputs(batch: Any) -> Origin | None:
    """The first part of a batch that is not finite, or None."""
    for name, array in named_arrays(batch).items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            return Origin("input", name, "", bad_samples(array))
    return None


def _in_forward(model, batch):
    """The first layer or term; kerasmith's own models need a record of the step around both."""
    x, y, sample_weight = _tensors_of(batch)
    with _around_step(), traced(model) as calls:
        y_pred = _forward(model, x)
        origin = in_calls(model, calls, y_pred)
        return origin or _in_loss(model, x, y, y_pred, sample_weight)


def _in_loss(model, x, y, y_pred, sample_weight):
    trackers = _term_trackers(model)
    for tracker in trackers:
        tracker.reset_state()
    total = model.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True)
    if is_finite(total):
        return None
    own = [i for i, loss in enumerate(model.losses) if not is_finite(loss)]
    for tracker in trackers:
        if not is_finite(ops.convert_to_tensor(tracker.result())):
            return Origin("loss", tracker.name)
    origin = _in_terms_of_losses(model, y, y_pred, sample_weight)
    if origin is None and own:
        origin = Origin("loss", f"losses[{own[0]}]", "It is a regulariser of a weight, or what a layer gave to `add_loss`")
    return origin or Origin("loss", _loss_name(model))


def _term_trackers(model):
    """Means of single terms: an objective's columns, those of `LossTerms`, Keras' own for several outputs."""
    objective = [column.value for column in getattr(getattr(model, "objective", None), "columns", ())]
    terms = getattr(getattr(model, "loss_columns", None), "trackers", ())
    return [*objective, *terms, *getattr(model, "loss_terms", ()), *loss_trackers(model)]


def _in_terms_of_losses(model, y, y_pred, sample_weight):
    """The term of a sum of losses that nobody shows."""
    loss = getattr(model, "loss", None)
    if not isinstance(loss, Loss):
        return None
    parts = loss.weighted_terms(y, y_pred, sample_weight)
    names = loss.term_names or [part.name for part, _ in parts]
    for name, (part, _) in zip(names, parts):
        values = part.per_sample.values
        if not is_finite(values):
            return Origin("loss", name, "", bad_samples(ops.convert_to_numpy(values)))
    return None


def _loss_name(model):
    loss = getattr(model, "loss", None)
    return loss if isinstance(loss, str) else getattr(loss, "name", None) or getattr(loss, "__name__", None) or "loss"


def _in_gradients(model, batch, reset):
    reset()
    gradients = gradients_now(model, batch)
    bad = [v.path for v, g in zip(model.trainable_variables, gradients) if g is not None and not is_finite(g)]
    if not bad:
        return None
    listed = ", ".join(bad[:6]) + (f" and {len(bad) - 6} more" if len(bad) > 6 else "")
    detail = f"Not finite are the gradients of {listed}"
    reset()
    try:
        where = _broken_in(model, batch)
    except Exception as problem:  # a step of the user's own, of which `compute_loss` is no part
        where, detail = None, f"{detail}. The layer could not be told ({type(problem).__name__})"
    return Origin("gradient", where or bad[-1].rsplit("/", 1)[0], detail)


def _broken_in(model, batch):
    """The layer whose output has a finite gradient and whose input has not: the last such one of the forward pass."""
    calls, slopes, y_pred = _gradients_of_calls(model, batch)
    bad = [not all(g is None or is_finite(g) for g in slopes.get(call.key, ())) for call in calls]
    if not any(bad):
        return None
    last = max(i for i, flag in enumerate(bad) if flag)
    out = {id(tensor) for tensor in calls[last].outputs}
    if out & {id(leaf) for leaf in tree.flatten(y_pred)}:
        return _loss_name(model) if getattr(model, "objective", None) is None else "loss"
    reached = {call.key for call in calls if slopes.get(call.key)}
    for i, call in enumerate(calls):
        if not bad[i] and call.key in reached and out & {id(tensor) for tensor in call.inputs}:
            return call.name
    # Mixed precision casts in between: the next one in order.
    return next((call.name for call in calls[last + 1 :] if call.key in reached), None)


def _gradients_of_calls(model, batch):
    """(calls, {key: gradients of the loss by what came out}, predictions)."""
    x, y, sample_weight = _tensors_of(batch)
    backend = keras.backend.backend()
    if backend == "jax":
        return _gradients_of_calls_jax(model, x, y, sample_weight)
    outer = contextlib.nullcontext()
    if backend == "tensorflow":
        import tensorflow as tf

        outer = tf.GradientTape()
    with outer as tape, _around_step(), traced(model) as calls:
        y_pred = _forward(model, x)
        loss = model.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True)
    tensors = [tensor for call in calls for tensor in call.outputs]
    if backend == "tensorflow":
        found = tape.gradient(loss, tensors)
    else:
        import torch

        moving = [i for i, tensor in enumerate(tensors) if tensor.requires_grad]
        asked = torch.autograd.grad(loss, [tensors[i] for i in moving], allow_unused=True)
        found = [None] * len(tensors)
        for i, gradient in zip(moving, asked, strict=True):
            found[i] = gradient
    slopes, rest = {}, iter(found)
    for call in calls:
        slopes[call.key] = [g for g in [next(rest) for _ in call.outputs] if g is not None]
    return calls, slopes, y_pred


def _gradients_of_calls_jax(model, x, y, sample_weight):
    import jax
    import jax.numpy as jnp

    groups = (model.trainable_variables, model.non_trainable_variables, model.metrics_variables)
    state = [[variable.value for variable in group] for group in groups]
    optimizer = [variable.value for variable in model.optimizer.variables]
    with _around_step(), traced(model) as calls:
        y_pred = _forward(model, x)
    zeros = {call.key: [jnp.zeros(t.shape, t.dtype) for t in call.outputs] for call in calls}

    def loss_of(shifts):
        with recording(), traced(model, shifts):
            loss, _ = model.compute_loss_and_updates(*state, x, y, sample_weight, training=True, optimizer_variables=optimizer)
        return loss

    return calls, jax.grad(loss_of)(zeros), y_pred


@contextlib.contextmanager
def _around_step():
    with tape_around() as tape, recording(tape=tape):
        yield


def _forward(model, x):
    return model(x, training=True) if takes_training(model) else model(x)


def _tensors_of(batch):
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
    return tuple(
        tree.map_structure(lambda leaf: None if leaf is None else ops.convert_to_tensor(leaf), part, none_is_leaf=True)
        for part in (x, y, sample_weight)
    )
