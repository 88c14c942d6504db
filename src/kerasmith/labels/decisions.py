"""From probabilities or logits to decisions."""

import math

from keras import ops


def decide(pixels, threshold):
    """Hard 0/1 decisions in the layout of `pixels.scores`.

    Args:
        pixels: a `Pixels` record.
        threshold: probability above which a binary channel is 1. Competing classes: the largest score wins.
    """
    scores = pixels.scores
    if pixels.binary:
        return ops.cast(scores > score_threshold(threshold, pixels.from_logits), scores.dtype)
    winner = ops.expand_dims(ops.argmax(scores, axis=pixels.class_axis), pixels.class_axis)
    classes = ops.arange(pixels.channels, dtype=winner.dtype)
    classes = ops.expand_dims(classes, -1) if pixels.class_axis == 1 else classes
    return ops.cast(ops.equal(winner, classes), scores.dtype)


def score_threshold(threshold, from_logits):
    """The bound on the scores that means `probability > threshold`; for logits no sigmoid is needed."""
    if not from_logits:
        return threshold
    if threshold in (0, 1):
        return -math.inf if threshold == 0 else math.inf
    return math.log(threshold / (1 - threshold))
