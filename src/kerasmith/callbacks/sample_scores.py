"""How hard each sample of a batch is for a model."""

from typing import Any

import keras
import numpy as np
from keras import ops, tree

from kerasmith.base import Loss
from kerasmith.keras_internals.compiled import losses_by_output
from kerasmith.objectives import Objective
from kerasmith.objectives.step_inputs import StepInputs, as_tensors
from kerasmith.objectives.term import takes_all_outputs


def loss_scores(model: keras.Model, batch: Any, y_pred: Any) -> np.ndarray:
    """What the compiled loss gives each sample, times its weight in the loss: (B,) float64.

    Losses of Keras, of kerasmith, functions and names, several outputs with `loss_weights`, and an `Objective` whose terms are
    losses. A loss with several values a sample counts with their mean. Weights of pixels and Keras masks are left out, and so
    is what the model adds itself, such as regularisation.

    Args:
        model: a compiled model that has trained a step.
        batch: (x, y) or (x, y, sample_weight).
        y_pred: its predictions, arrays.

    Raises:
        TypeError: where no loss can be read for single samples; says what to write instead.
        ValueError: for data without labels.
    """
    if len(batch) < 2:
        raise ValueError('score="loss" needs labels: WeightedBatches(x, y). Or write `score=function` of (None, y_pred).')
    x, y, weight = (*batch, None)[:3]
    y, y_pred = as_tensors(y), as_tensors(y_pred)
    objective = getattr(model, "objective", None)
    if isinstance(objective, Objective):
        return _of_objective(objective, StepInputs(x, y, y_pred, weight, {}, model, False, None, _output_names(model)))
    compiled = losses_by_output(model)
    if not compiled:
        raise TypeError(f"{_NEEDS_FUNCTION} Received: a model compiled without a loss")
    y = _in_structure_of(y_pred, y, model)
    total = 0.0
    for path, loss, factor in compiled:
        values = _per_sample(loss, _at(path, y), _at(path, y_pred))
        total = total + values * (1.0 if factor is None else float(factor)) * _sample_weight(_at(path, weight), len(values))
    return total


def margin_scores(y_true: Any, y_pred: Any, from_logits: bool = False) -> np.ndarray:
    """1 - (p_true - the largest other p) of each sample: 0 where it is certain and right, 1 undecided, 2 certain and wrong.

    Args:
        y_true: (B, ...) or (B, ..., 1) class ids, or one-hot in the shape of y_pred.
        y_pred: array (B, ..., C) of probabilities or logits; (B, ..., 1) is that of class 1. Axes in between are averaged.

    Returns:
        (B,) float64.

    Example:

    >>> margin_scores(np.array([0, 1]), np.array([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1]])).round(3).tolist()
    [0.5, 1.5]
    """
    if tree.is_nested(y_pred) or tree.is_nested(y_true) or y_true is None:
        raise TypeError('score="margin" needs one output of classes and its labels. Write `score=function` instead.')
    y_true, p = np.asarray(y_true), np.asarray(y_pred, "float64")
    if p.ndim < 2:
        raise ValueError(f'score="margin" needs predictions (B, ..., C). Received: shape={p.shape}')
    if from_logits:
        z = np.concatenate([np.zeros_like(p), p], axis=-1) if p.shape[-1] == 1 else p
        p = np.exp(z - z.max(axis=-1, keepdims=True))
        p /= p.sum(axis=-1, keepdims=True)
    elif p.size and (np.nanmin(p) < -1e-3 or np.nanmax(p) > 1.001):
        raise ValueError(
            f'score="margin" needs probabilities; these reach from {np.nanmin(p):.3g} to {np.nanmax(p):.3g}. For logits write '
            "`from_logits=True`."
        )
    elif p.shape[-1] == 1:
        p = np.concatenate([1 - p, p], axis=-1)
    if y_true.shape == p.shape:
        ids = y_true.argmax(axis=-1)
    elif y_true.shape in (p.shape[:-1], (*p.shape[:-1], 1)):
        ids = y_true.reshape(p.shape[:-1]).astype("int64")
    else:
        raise ValueError(f'score="margin": labels of shape {y_true.shape} do not belong to predictions {np.shape(y_pred)}')
    if ids.size and (ids.min() < 0 or ids.max() >= p.shape[-1]):
        raise ValueError(f"Class ids must be 0 to {p.shape[-1] - 1}. Received: {ids.min()} to {ids.max()}")
    is_true = np.arange(p.shape[-1]) == ids[..., None]
    of_true = np.where(is_true, p, 0.0).sum(axis=-1)
    margin = 1 - (of_true - np.where(is_true, -np.inf, p).max(axis=-1))
    return margin.reshape(len(p), -1).mean(axis=1)


_NEEDS_FUNCTION = 'score="loss" cannot tell the loss of a single sample. Write `score=function` of (y_true, y_pred) -> (B,).'


def _of_objective(objective, inputs):
    total = 0.0
    factors = None if objective.balance is None else ops.convert_to_numpy(objective.balance.factors())
    for k, term in enumerate(objective.terms):
        if term.loss is None:
            raise TypeError(f"{_NEEDS_FUNCTION} Received: an objective whose term {term.name!r} is a function")
        read = inputs.of_all_outputs if takes_all_outputs(term.loss) else inputs.of_output
        y, y_pred, weight = read(term.output, term.name, term.position)
        factor, _ = term.factor(ops.convert_to_tensor(objective.step))
        factor = float(ops.convert_to_numpy(factor)) * (1.0 if factors is None else float(factors[k]))
        values = _per_sample(term.loss, y, y_pred)
        total = total + factor * values * _sample_weight(weight, len(values))
    return total


def _per_sample(loss, y, y_pred):
    """The unreduced loss, (B,) float64."""
    batch = tree.flatten(y_pred)[0].shape[0]
    if not isinstance(loss, Loss):  # Keras casts both before it calls
        y, y_pred = (tree.map_structure(lambda leaf: ops.cast(leaf, loss.dtype), nest) for nest in (y, y_pred))
    values = np.asarray(ops.convert_to_numpy(loss.call(y, y_pred)), "float64")
    if values.ndim == 0 or values.shape[0] != batch:
        raise TypeError(
            f"{_NEEDS_FUNCTION} Received: {type(loss).__name__}, which gives shape {values.shape} for {batch} samples. The "
            "losses of kerasmith give one value per sample."
        )
    return values.reshape(batch, -1).mean(axis=1)


def _sample_weight(weight, batch):
    """Weights of whole samples as (B,); 1 for others."""
    if weight is None or tree.is_nested(weight) or np.shape(weight) not in ((batch,), (batch, 1)):
        return 1.0
    return np.asarray(weight, "float64").reshape(batch)


def _in_structure_of(y_pred, y, model):
    """Labels in the structure of the predictions, as Keras itself puts them."""
    if not tree.is_nested(y_pred) and not tree.is_nested(y):
        return y
    if isinstance(y, dict) and not isinstance(y_pred, dict):
        y = [y[name] for name in _output_names(model) if name in y]
    leaves = tree.flatten(y)
    if len(leaves) != len(tree.flatten(y_pred)):
        raise TypeError(f"{_NEEDS_FUNCTION} Received: {len(leaves)} labels for {len(tree.flatten(y_pred))} outputs")
    return tree.pack_sequence_as(y_pred, leaves)


def _output_names(model):
    return tuple(getattr(model, "output_names", None) or ())


def _at(path, nest):
    for key in path:
        if not tree.is_nested(nest):
            return nest  # weights of samples that all outputs share
        nest = nest[key]
    return nest
