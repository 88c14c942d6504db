"""The region family in float64 NumPy: the three sums, the value, and the closed-form gradient dL/dp = w (A y + B)."""

import numpy as np


def value_and_grad(
    name,
    truth,
    p,
    *,
    weight=None,
    sample_weight=None,
    class_weights=None,
    scope="image",
    include_background=True,
    absent="score",
    smooth=1e-5,
    alpha=0.5,
    beta=0.5,
    gamma=1.0,
    dice_weight=0.5,
):
    """Loss under "sum_over_batch_size" and its gradient by p, for (B, N, C) labels and probabilities and (B, N) weights."""
    batch, _, channels = p.shape
    w = np.ones(p.shape[:2]) if weight is None else weight
    outer = np.ones(batch) if sample_weight is None else sample_weight
    w = w[:, :, None]
    i, sum_p, sum_y = ((w * a).sum(1) for a in (p * truth, p, truth))
    if scope == "batch":
        i, sum_p, sum_y = ((outer[:, None] * s).sum(0, keepdims=True) for s in (i, sum_p, sum_y))

    share = np.ones(channels) if class_weights is None else np.asarray(class_weights, "float64")
    if not include_background and channels > 1:
        share = share * (np.arange(channels) > 0)
    share = np.broadcast_to(share, i.shape) * (1.0 if absent == "score" else sum_y > 0)

    if name == "GeneralizedDice":
        smallest = np.min(np.where(sum_y > 0, sum_y, np.inf), axis=1, keepdims=True)
        smallest = np.where(np.isinf(smallest), 1.0, smallest)
        v = share * (smallest / np.where(sum_y > 0, sum_y, smallest)) ** 2
        top = (v * i).sum(1, keepdims=True) + smooth
        bottom = (v * (sum_p + sum_y)).sum(1, keepdims=True) / 2 + smooth
        loss = (1 - top / bottom)[:, 0]
        slope_y, slope_1 = -v / bottom, v * top / bottom**2 / 2
    else:
        values, slope_y, slope_1 = _classes(name, i, sum_p, sum_y, smooth, alpha, beta, gamma, dice_weight)
        total = np.maximum(share.sum(1, keepdims=True), 1e-300)
        loss = (share * values).sum(1) / total[:, 0]
        slope_y, slope_1 = share / total * slope_y, share / total * slope_1
    reduced = (outer * np.broadcast_to(loss, batch)).sum() / batch
    # Batch scope: each sample carries the same value, and the sums carry the sample weight.
    factor = outer * (outer.sum() / batch if scope == "batch" else 1 / batch)
    slope = factor[:, None, None] * w * (slope_y[:, None, :] * truth + slope_1[:, None, :])
    return reduced, slope


def _classes(name, i, p, y, smooth, alpha, beta, gamma, dice_weight):
    """Loss of each image and class, and the factors A, B of dL/dp = w (A y + B)."""
    if name == "DiceIoU":
        parts = [_classes(n, i, p, y, smooth, alpha, beta, gamma, None) for n in ("Dice", "Jaccard")]
        return tuple(dice_weight * a + (1 - dice_weight) * b for a, b in zip(*parts))
    a, b = {"Dice": (0.5, 0.5), "LogCoshDice": (0.5, 0.5), "Jaccard": (1.0, 1.0)}.get(name, (alpha, beta))
    bottom = i + a * (p - i) + b * (y - i) + smooth
    index = (i + smooth) / bottom
    by_i, by_p = (1 - (1 - a - b) * index) / bottom, -a * index / bottom
    miss = 1 - index
    if name == "FocalTversky":
        return miss**gamma, -gamma * miss ** (gamma - 1) * by_i, -gamma * miss ** (gamma - 1) * by_p
    if name == "LogCoshDice":
        return np.log(np.cosh(miss)), -np.tanh(miss) * by_i, -np.tanh(miss) * by_p
    return miss, -by_i, -by_p
