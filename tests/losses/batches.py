"""Random targets and images of 4 samples, for rows of the battery that do not compare labelled pixels."""

import functools

import numpy as np


def _normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def targets():
    """Targets and predictions of one shape."""
    return _normal(4, 5, 3), _normal(4, 5, 3, seed=1)


def quantiles(count=3):
    """One target and `count` predicted quantiles, some of which cross."""
    return _normal(4, 5), _normal(4, 5, count, seed=1)


def means_and_variances():
    """Targets; means and log-variances."""
    return _normal(4, 5, 2), _normal(4, 5, 4, seed=1)


def frequencies():
    """Claims a year and insured years; predicted claims a year."""
    rng = np.random.default_rng(0)
    years = rng.uniform(0.2, 2, 4)
    rate = rng.poisson(2 * years) / years
    return np.stack([rate, years], axis=1).astype("float32"), rng.uniform(0.5, 3, (4, 1)).astype("float32")


def clicks():
    """Clicked and seconds; click probability and log dwell time."""
    rng = np.random.default_rng(0)
    clicked = np.array([[1, 0, 1], [0, 1, 1], [0, 0, 1], [1, 0, 0]])
    seconds = np.where(clicked, rng.gamma(2, 20, (4, 3)), 0)
    y_pred = np.stack([rng.uniform(0.1, 0.9, (4, 3)), rng.normal(3, 1, (4, 3))], axis=-1)
    return np.stack([clicked, seconds], axis=-1).astype("float32"), y_pred.astype("float32")


def images(*shape):
    """A function that gives smooth images of `shape` and noisy copies of them."""
    return functools.partial(_images, shape)


def _images(shape):
    rng = np.random.default_rng(0)
    grid = sum(np.linspace(0, 1, n).reshape(-1, *(1,) * (len(shape) - 1 - k)) for k, n in enumerate(shape[:-1]))
    phase = rng.uniform(0, 6, (4, *(1,) * (len(shape) - 1), shape[-1]))
    truth = 0.5 + 0.4 * np.sin(5 * grid + phase)
    noise = rng.normal(size=(4, *shape)) * np.linspace(0.05, 0.2, 4).reshape(4, *(1,) * len(shape))
    return truth.astype("float32"), (truth + noise).astype("float32")


def embeddings():
    """Ids of two classes and vectors near each other, so that no loss is done."""
    return np.array([0, 1, 0, 1]), np.random.default_rng(3).normal(size=(4, 5)).astype("float32")


def distances():
    """Whether the two sides of a pair differ, and how far they are apart."""
    return np.array([1, 0, 1, 0]), np.array([[0.3], [0.4], [1.7], [0.9]], "float32")


def cosines():
    """Ids of four classes and cosines, one of them beyond pi - margin."""
    y_pred = np.random.default_rng(4).uniform(-0.9, 0.9, (4, 4)).astype("float32")
    y_pred[2, 1] = -0.97
    return np.array([0, 3, 1, 2]), y_pred


def judged():
    """Real and generated samples, and what a discriminator says of six patches of each."""
    return np.array([1, 0, 0, 1]), 2 * _normal(4, 3, 2, 1, seed=6)


def generated():
    """Generated samples, and what a discriminator says of six patches of each."""
    return np.zeros(4), 2 * _normal(4, 3, 2, 1, seed=6)
