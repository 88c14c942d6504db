"""The loss of the best answer that is the same for all samples: what a model reaches without looking at its inputs."""

from typing import Any

import numpy as np

from kerasmith.checks.engine.finding import Inconclusive


def constant_loss(case: Any, samples: int) -> float | None:
    """The loss of the best answer that is the same for all samples, over all outputs; None where it is not known."""
    return _best_loss(case, samples, _constants)


def lowest_loss(case: Any, samples: int) -> float | None:
    """The loss of answers that equal the labels, over all outputs: soft labels have an entropy that no model gets below."""
    return _best_loss(case, samples, _labels)


def _best_loss(case, samples, candidates):
    try:
        outputs = case.outputs
        predictions = case.predictions()
    except Inconclusive:
        return None
    total, any_known = 0.0, False
    for output, predicted in zip(outputs, predictions):
        if output.loss is None:
            continue
        found = _best_of(case, output, predicted[:samples], samples, candidates)
        if found is None:
            return None
        weight = output.loss_weight
        total += found * (1.0 if weight is None else float(weight))
        any_known = True
    return total if any_known else None


def _best_of(case, output, predicted, samples, candidates):
    y, weights = output.y_true, output.sample_weight
    if not isinstance(y, np.ndarray) or predicted.ndim < 1 or y.dtype.kind not in "biuf":
        return None
    y, best = y[:samples], None
    if weights is not None:
        weights = np.asarray(weights)[:samples]
        if weights.ndim != 1:
            return None
    for candidate in candidates(y, predicted, output.activation):
        try:
            values = case.loss_values(output, y, np.broadcast_to(candidate, predicted.shape).astype("float32"))
        except Inconclusive:
            return None
        value = float(np.mean(values if weights is None else values * weights))
        if np.isfinite(value) and (best is None or value < best):
            best = value
    return best


def _labels(y, predicted, activation) -> list[np.ndarray]:
    """Answers that say what the labels say, as values, probabilities and logits."""
    width = predicted.shape[-1] if predicted.ndim > 1 else 1
    if y.size == predicted.size:
        equal = y.reshape(predicted.shape).astype("float64")
    elif width > 1 and y.size * width == predicted.size and y.min() >= 0 and y.max() < width:
        equal = np.eye(width)[y.astype("int64").reshape(predicted.shape[:-1])]
    else:
        return []
    found = [equal]
    if equal.min() >= 0 and equal.max() <= 1:
        share = np.clip(equal, 1e-6, 1 - 1e-6)
        # Labels are smoothed by a part of them.
        found += [share, 0.9 * share + 0.1 * share.mean(), np.log(share / (1 - share)), np.log(share)]
    return found


def _constants(y, predicted, activation) -> list[np.ndarray]:
    width = predicted.shape[-1] if predicted.ndim > 1 else 1
    bounded = activation in ("softmax", "sigmoid")
    found = [np.full(width, 0.5), np.full(width, 1.0 / width)]
    flat = y.astype("float64")
    if y.shape == predicted.shape or (width == 1 and y.size == predicted.size):
        columns = flat.reshape(-1, width)
        mean = columns.mean(axis=0)
        found += [mean, np.median(columns, axis=0)]
        if not bounded and mean.min() >= 0 and mean.max() <= 1:
            share = np.clip(mean, 1e-3, 1 - 1e-3)
            found += [np.log(share / (1 - share)), np.log(share)]
    elif width > 1 and y.size * width == predicted.size and flat.min() >= 0 and flat.max() < width:
        share = np.bincount(flat.astype("int64").ravel(), minlength=width) / y.size
        found.append(share)
        if not bounded:
            found.append(np.log(np.clip(share, 1e-3, 1)))
    if not bounded:
        found.append(np.zeros(width))
    return found
