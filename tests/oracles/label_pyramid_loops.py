"""Labels and weights at a lower resolution, block by block, and losses of them in float64 NumPy."""

import numpy as np


def down(y, sizes, how, weight=None):
    """(labels, weights) of (B, *spatial) or (B, *spatial, C) labels, with blocks of `sizes` pixels.

    Args:
        how: "area": the mean of each block, weighed with `weight` where there is one; "nearest": the pixel at its centre.
        weight: None or (B, *spatial).
    """
    target = (y.shape[0], *(have // size for have, size in zip(y.shape[1:], sizes)))
    tail = y.shape[1 + len(sizes) :]
    labels = np.zeros(target + tail, "float64" if how == "area" else y.dtype)
    weights = np.zeros(target)
    for place in np.ndindex(*target):
        block = (place[0], *(slice(i * size, (i + 1) * size) for i, size in zip(place[1:], sizes)))
        centre = (place[0], *(i * size + size // 2 for i, size in zip(place[1:], sizes)))
        inside = y[block].reshape(-1, *tail)
        mass = np.ones(len(inside)) if weight is None else weight[block].ravel()
        weights[place] = mass.mean()
        if how == "nearest":
            labels[place] = y[centre]
            if weight is not None and weight[centre] == 0:
                weights[place] = 0
        elif mass.sum() > 0:
            counted = mass > 0
            labels[place] = sum(w * value for w, value in zip(mass[counted], inside[counted])) / mass.sum()
    return labels, None if weight is None else weights


def dice(y, p, weight, smooth=1e-5):
    """(B,) Dice losses of one-hot labels and probabilities (B, ..., C), the mean over the classes."""
    y, p, weight = y.reshape(len(y), -1, y.shape[-1]), p.reshape(len(p), -1, p.shape[-1]), weight.reshape(len(y), -1, 1)
    common, predicted, true = (weight * y * p).sum(1), (weight * p).sum(1), (weight * y).sum(1)
    return (1 - (common + smooth) / ((predicted + true) / 2 + smooth)).mean(-1)


def cross_entropy(y, p, weight, valid=None):
    """(B,) sums of the weighted cross-entropy over the valid pixels, divided by their number."""
    valid = np.ones_like(weight) if valid is None else valid
    entropy = -(y * np.log(p)).sum(-1) if p.shape[-1] > 1 else -(y * np.log(p) + (1 - y) * np.log(1 - p))[..., 0]
    axes = tuple(range(1, weight.ndim))
    return (entropy * weight * valid).sum(axes) / np.maximum(valid.sum(axes), 1)


def squares(y, p, weight):
    """(B,) weighted mean squares."""
    axes = tuple(range(1, weight.ndim))
    return (weight * ((y - p) ** 2).mean(-1)).mean(axes)
