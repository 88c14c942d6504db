"""The pixel family in float64 NumPy: cross-entropy and focal loss, their value and their gradient by the probabilities."""

import numpy as np


def value_and_grad(
    truth,
    p,
    *,
    binary,
    gamma=0.0,
    alpha=None,
    label_smoothing=0.0,
    class_weights=None,
    weight=None,
    valid=None,
    sample_weight=None,
    reduction="sum_over_batch_size",
):
    """Reduced loss and gradient for (B, N, C) labels and probabilities.

    Args:
        binary: each channel is a yes/no question; else the channels compete.
        alpha: factors; of background and foreground for one channel, of the classes for several.
        class_weights: as `alpha`, but part of the weights that "mean_with_sample_weight" divides by.
        weight, valid: (B, N) pixel weights, and 1 on pixels that count.
        sample_weight: (B,).
    """
    batch, pixels, channels = p.shape
    weight = np.ones((batch, pixels)) if weight is None else weight
    valid = np.ones((batch, pixels)) if valid is None else valid
    outer = np.ones(batch) if sample_weight is None else sample_weight

    by_channel, slope = (_binary if binary else _categorical)(truth, p, gamma, alpha, label_smoothing)
    if binary and channels > 1:  # the mean over the questions, each with its weight
        share = (np.ones(channels) if class_weights is None else np.asarray(class_weights)) / channels
        by_channel, slope = share * by_channel, share * slope
    elif class_weights is not None:
        weight = weight * of_label(truth, class_weights)
    counted = weight * valid
    number = np.maximum(valid.sum(1), 1)
    each = (counted * by_channel.sum(-1)).sum(1) / number
    divisor = {
        "sum_over_batch_size": batch,
        "sum": 1.0,
        "mean_with_sample_weight": (outer * counted.sum(1) / number).sum(),
    }[reduction]
    return (outer * each).sum() / divisor, (outer / number)[:, None, None] * counted[..., None] * slope / divisor


def of_label(truth, values):
    """The value that belongs to the label of each pixel, (B, N); a soft label mixes them."""
    if truth.shape[-1] == 1:
        return values[0] * (1 - truth[..., 0]) + values[1] * truth[..., 0]
    return (truth * np.asarray(values)).sum(-1)


def _binary(truth, p, gamma, alpha, smoothing):
    y = (1 - smoothing) * truth + smoothing / 2
    entropy = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    by_p = (1 - y) / (1 - p) - y / p
    miss = truth * (1 - p) + (1 - truth) * p
    factor = 1.0 if alpha is None else of_label(truth, alpha)[..., None]
    rise = gamma * miss ** (gamma - 1) * (1 - 2 * truth) if gamma else 0.0
    return factor * miss**gamma * entropy, factor * (rise * entropy + miss**gamma * by_p)


def _categorical(truth, p, gamma, alpha, smoothing):
    y = ((1 - smoothing) * truth + smoothing / p.shape[-1]) * (1.0 if alpha is None else np.asarray(alpha))
    rise = gamma * (1 - p) ** (gamma - 1) * np.log(p) if gamma else 0.0
    return -y * (1 - p) ** gamma * np.log(p), y * (rise - (1 - p) ** gamma / p)
