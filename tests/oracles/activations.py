"""Sigmoid and softmax over the last axis in float64 NumPy, and the chain rule through them."""

import numpy as np


def probabilities(logits, binary):
    """Sigmoid of each channel if `binary`, else softmax over the channels."""
    if binary:
        return 1 / (1 + np.exp(-logits))
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def slope_by_logits(slope, p, binary):
    """dL/dlogits from dL/dp."""
    if binary:
        return slope * p * (1 - p)
    return p * (slope - (slope * p).sum(-1, keepdims=True))
