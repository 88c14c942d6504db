"""Unified focal loss as plain loops over images, classes and pixels."""

import math

import numpy as np


def unified_focal(y_true, y_pred, weight, delta, gamma, asymmetric, smooth):
    """The mean over images for labels and probabilities (B, H, W, C); C = 1 is foreground against the rest."""
    if y_true.shape[-1] == 1:
        y_true, y_pred = (np.concatenate([1 - x, x], axis=-1) for x in (y_true, y_pred))
    total = 0.0
    flat = len(y_true), -1, y_true.shape[-1]
    for truth, p in zip(y_true.reshape(flat).astype("float64"), y_pred.reshape(flat)):
        pixels, classes = truth.shape
        focal = 0.0
        for n in range(pixels):
            for c in range(classes):
                suppressed = c == 0 or not asymmetric
                factor = (1 - p[n, c]) ** gamma if suppressed else 1.0
                focal -= (1 - delta if c == 0 else delta) * truth[n, c] * factor * math.log(p[n, c]) / pixels
        tversky = 0.0
        for c in range(classes):
            hit = sum(truth[n, c] * p[n, c] for n in range(pixels))
            missed = sum(truth[n, c] * (1 - p[n, c]) for n in range(pixels))
            invented = sum((1 - truth[n, c]) * p[n, c] for n in range(pixels))
            index = (hit + smooth) / (hit + delta * missed + (1 - delta) * invented + smooth)
            tversky += (1 - index) ** (1 - gamma if c > 0 or not asymmetric else 1.0) / classes
        total += weight * focal + (1 - weight) * tversky
    return total / len(y_true)
