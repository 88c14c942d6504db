"""The documented formulas of libraries for Keras 2, in float64 NumPy: these libraries do not run beside Keras 3.

Each function is called as the library's loss or metric is, (y_true, y_pred) with channels last, and gives one number.
"""

import numpy as np


def region_score(y, p, beta=1.0, smooth=1e-5, per_image=False, jaccard=False, class_weights=None):
    """segmentation_models: a ratio per class over the batch or each image, then means over images and classes."""
    axes = tuple(range(0 if not per_image else 1, y.ndim - 1))
    both, truth, predicted = (y * p).sum(axes), y.sum(axes), p.sum(axes)
    if jaccard:
        score = (both + smooth) / (truth + predicted - both + smooth)
    else:
        square = beta**2
        score = ((1 + square) * both + smooth) / ((1 + square) * both + square * (truth - both) + predicted - both + smooth)
    score = score.mean(0) if per_image else score
    return (score * (1.0 if class_weights is None else np.asarray(class_weights))).mean()


def region_loss(y, p, **config):
    return 1 - region_score(y, p, **config)


def binary_cross_entropy(y, p):
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()


def categorical_cross_entropy(y, p):
    """The mean over pixels and channels."""
    return -(y * np.log(p)).mean()


def binary_focal(y, p, alpha=0.25, gamma=2.0):
    return -(y * alpha * (1 - p) ** gamma * np.log(p) + (1 - y) * (1 - alpha) * p**gamma * np.log(1 - p)).mean()


def categorical_focal(y, p, alpha=0.25, gamma=2.0):
    return -(y * alpha * (1 - p) ** gamma * np.log(p)).mean()


def share(y, p, quantity, threshold, smooth=1e-5):
    """Precision or recall of decided pixels over all of a batch."""
    p = p > threshold
    hits = (y * p).sum()
    return (hits + smooth) / ((p.sum() if quantity == "precision" else y.sum()) + smooth)


def focal_over_last_axis(y, p, alpha=0.25, gamma=2.0):
    """Addons and KerasCV: the sum over the last axis, then the mean."""
    return y.shape[-1] * binary_focal(y, p, alpha, gamma)


def contrastive(same, distance, margin=1.0):
    """Addons: labels of 1 are equal pairs."""
    return (same * distance**2 + (1 - same) * np.maximum(margin - distance, 0) ** 2).mean()


def pinball(y, p, tau=0.5):
    return np.maximum(tau * (y - p), (tau - 1) * (y - p)).mean()


def distances(x, metric="L2"):
    if metric == "angular":
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
        return 1 - x @ x.T
    square = ((x[:, None] - x[None]) ** 2).sum(-1)
    return square if metric == "squared-L2" else np.sqrt(square)


def triplet_semi_hard(ids, x, margin=1.0, metric="L2"):
    """Addons: the mean over all ordered pairs of positives."""
    d, losses = distances(x, metric), []
    for a in range(len(ids)):
        for p in range(len(ids)):
            if a == p or ids[a] != ids[p]:
                continue
            negatives = [d[a, n] for n in range(len(ids)) if ids[n] != ids[a]]
            farther = [far for far in negatives if far > d[a, p]]
            losses.append(max(0.0, margin + d[a, p] - (min(farther) if farther else max(negatives))))
    return np.mean(losses)


def triplet_hard(ids, x, margin=1.0, soft=False, metric="L2"):
    d, losses = distances(x, metric), []
    for a in range(len(ids)):
        gap = max(d[a, p] for p in range(len(ids)) if p != a and ids[p] == ids[a])
        gap -= min(d[a, n] for n in range(len(ids)) if ids[n] != ids[a])
        losses.append(np.log1p(np.exp(gap)) if soft else max(0.0, gap + margin))
    return np.mean(losses)


def f_beta(ids, scores, beta=1.0, average="macro"):
    classes, decided = range(scores.shape[1]), scores.argmax(1)
    hits, true = (np.array([(decided[ids == c] == c).sum() for c in classes]), np.array([(ids == c).sum() for c in classes]))
    predicted = np.array([(decided == c).sum() for c in classes])
    if average == "micro":
        hits, true, predicted = hits.sum(), true.sum(), predicted.sum()
    score = (1 + beta**2) * hits / (beta**2 * true + predicted)
    return (score * true).sum() / true.sum() if average == "weighted" else score.mean()


def cyclic(step, low, high, size, factor):
    """Addons: `factor(cycle, step)` scales the triangle."""
    cycle = np.floor(1 + step / (2 * size))
    x = abs(step / size - 2 * cycle + 1)
    return low + (high - low) * max(0.0, 1 - x) * factor(cycle, step)


def sim_clr(a, b, temperature):
    """KerasCV: the cross-entropy of each view's partner among all others, added up over both directions."""
    x = np.concatenate([a, b])
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    e = np.exp(x @ x.T / temperature)
    n = len(a)
    rows = [-np.log(e[i, (i + n) % (2 * n)] / (e[i].sum() - e[i, i])) for i in range(2 * n)]
    return np.mean(rows[:n]) + np.mean(rows[n:])
