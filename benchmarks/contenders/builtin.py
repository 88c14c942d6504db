"""The losses of Keras, channels last, with the axes that give one value per image and class.

Keras' region losses take neither ids nor logits: ids are made one-hot and logits activated in front, as a user has to.
"""

import keras
from keras import losses, ops

from benchmarks.contenders.contender import Contender


def contender(loss, case):
    make = {
        "dice": _dice,
        "dice_batch": lambda case: _dice(case, batch=True),
        "tversky": _tversky,
        "cross_entropy": _cross_entropy,
        "focal": _focal,
        "dice_ce": lambda case: _half_each(_dice(case), _cross_entropy(case)),
        "dice_focal": lambda case: _half_each(_dice(case), _focal(case)),
    }.get(loss)
    if make is None:
        return None
    return Contender(make(case), case.truth(), case.predictions())


def _dice(case, batch=False):
    return _on_probabilities(losses.Dice(axis=(0, *case.spatial_axes) if batch else case.spatial_axes), case)


def _tversky(case):
    alpha, beta = (0.7, 0.3) if _alpha_weighs_misses() else (0.3, 0.7)
    return _on_probabilities(losses.Tversky(alpha=alpha, beta=beta, axis=case.spatial_axes), case)


def _cross_entropy(case):
    if case.channels == 1:
        return losses.BinaryCrossentropy(from_logits=case.logits)
    if case.ids:
        return losses.SparseCategoricalCrossentropy(from_logits=case.logits)
    return losses.CategoricalCrossentropy(from_logits=case.logits)


def _focal(case):
    if case.channels == 1:
        return losses.BinaryFocalCrossentropy(gamma=2.0, from_logits=case.logits)
    return _on_one_hot(losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=2.0, from_logits=case.logits), case)


def _on_probabilities(loss, case):
    if not case.logits:
        return _on_one_hot(loss, case)
    activate = ops.sigmoid if case.channels == 1 else ops.softmax
    return _on_one_hot(lambda y, p: loss(y, activate(p)), case)


def _on_one_hot(loss, case):
    return (lambda y, p: loss(ops.one_hot(y, case.channels), p)) if case.ids else loss


def _half_each(first, second):
    return lambda y, p: 0.5 * first(y, p) + 0.5 * second(y, p)


def _alpha_weighs_misses():
    """Keras up to 3.15.1 has alpha and beta of Tversky the wrong way round; asked on one missed pixel."""
    return float(keras.losses.tversky(ops.ones((1, 2)), ops.convert_to_tensor([[1.0, 0.0]]), alpha=1.0, beta=0.0)) > 0.1
