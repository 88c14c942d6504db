"""Small real data, and made sequences, masks and counts. Every call gives arrays of its own, in an order shuffled once."""

import functools

import keras
import numpy as np
from sklearn import datasets


@functools.cache
def _table(name):
    """Columns and labels as the source has them."""
    found = getattr(datasets, f"load_{name}")()
    order = np.random.default_rng(0).permutation(len(found.data))
    return found.data[order].astype("float32"), found.target[order]


def raw(name, count=240):
    """Columns in their own units, and labels."""
    x, y = _table(name)
    return x[:count].copy(), y[:count].copy()


def table(name, count=240):
    """Columns of mean 0 and deviation 1, and labels."""
    x, y = raw(name, count)
    return (x - x.mean(0)) / (x.std(0) + 1e-6), y


def diabetes(count=240):
    """Standardised columns and a standardised target (count,)."""
    x, y = table("diabetes", count)
    return x, ((y - y.mean()) / y.std()).astype("float32")


def digits(count=240, scale=1 / 16):
    """Images (count, 8, 8, 1), between 0 and 1 unless scaled otherwise, and digits as integers."""
    x, y = raw("digits", count)
    return (x * scale).reshape(-1, 8, 8, 1).astype("float32"), y.astype("int32")


def disks(count=64, size=16, seed=0):
    """Noisy images of a bright disk (count, size, size, 1) and its mask, 0 and 1."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:size, :size]
    centre, radius = random.uniform(4, size - 4, (2, count, 1, 1)), random.uniform(2, 4, (count, 1, 1))
    mask = ((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2)[..., None].astype("float32")
    image = 0.2 + 0.6 * mask + 0.08 * random.normal(size=mask.shape)
    return np.clip(image, 0, 1).astype("float32"), mask


def corners(count=160, seed=0):
    """Bright squares on the left or the right half of noise, (count, 8, 8, 1), and the side."""
    random = np.random.default_rng(seed)
    x, side = 0.3 * random.random((count, 8, 8, 1)), random.integers(0, 2, count)
    for image, right in zip(x, side, strict=True):
        row, column = random.integers(0, 5), random.integers(0, 2) + 4 * right
        image[row : row + 3, column : column + 3] += 0.6
    return x.astype("float32"), side.astype("int32")


def sentences(count=200, length=12, words=40, seed=0):
    """Word ids from 1, padded with 0 at the end, (count, length), and whether more than half of them are high."""
    random = np.random.default_rng(seed)
    x, size = random.integers(1, words, (count, length)), random.integers(4, length + 1, count)
    lean = random.integers(0, 2, count)
    x = np.where(random.random(x.shape) < 0.6, 1 + (x % (words // 2)) + lean[:, None] * (words // 2 - 1), x)
    return np.where(np.arange(length) < size[:, None], x, 0).astype("int32"), lean.astype("int32")


def waves(count=200, length=16, seed=0):
    """Windows of a noisy sum of two sines (count, length, 1), in order of time, and the value after each, (count, 1)."""
    time = np.arange(count + length)
    series = np.sin(time / 5) + 0.5 * np.sin(time / 2.3) + 0.05 * np.random.default_rng(seed).normal(size=time.shape)
    x = np.stack([series[start : start + length] for start in range(count)])
    return x[..., None].astype("float32"), series[length:][:, None].astype("float32")


def counts(count=240, seed=0):
    """Four columns, and counts of a Poisson variable whose logarithm is linear in them, (count, 1)."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, 4)).astype("float32")
    return x, random.poisson(np.exp(x @ [0.6, -0.4, 0.3, 0.0] + 1.0))[:, None].astype("float32")


def moons(count=240):
    """Two moons that no line separates, (count, 2), and which."""
    x, y = datasets.make_moons(count, noise=0.1, random_state=0)
    return x.astype("float32"), y.astype("int32")


def rare(count=400, share=0.03, seed=0):
    """Eight columns and a class that is seldom: where it is 1, three columns are shifted."""
    random = np.random.default_rng(seed)
    y = (np.arange(count) < count * share).astype("int32")
    x = random.normal(size=(count, 8)) + 1.5 * y[:, None] * (np.arange(8) < 3)
    order = random.permutation(count)
    return x[order].astype("float32"), y[order]


def tags(count=240, seed=0):
    """Six columns and three tags, of which none, one or several hold, (count, 3)."""
    x = np.random.default_rng(seed).normal(size=(count, 6)).astype("float32")
    return x, (x[:, :3] + 0.5 * x[:, 3:] > 0.2).astype("float32")


def one_hot(y, classes):
    """Rows with a single 1."""
    return np.eye(classes, dtype="float32")[y]


class Batches(keras.utils.PyDataset):
    """Batches of (x, y) in order."""

    def __init__(self, x, y, batch_size=32):
        super().__init__()
        self.x, self.y, self.batch_size = x, y, batch_size

    def __len__(self):
        return -(-len(self.x) // self.batch_size)

    def __getitem__(self, index):
        part = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return self.x[part], self.y[part]


def native(x, y, batch_size=32):
    """The kind of data set that the backend's users have: a DataLoader, tf.data, or a PyDataset on JAX."""
    if keras.config.backend() == "torch":
        import torch

        pairs = torch.utils.data.TensorDataset(torch.as_tensor(x), torch.as_tensor(y))
        return torch.utils.data.DataLoader(pairs, batch_size=batch_size, shuffle=True)
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        return tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x), seed=0).batch(batch_size)
    return Batches(x, y, batch_size)


def endless(x, y, batch_size=32, seed=0):
    """A generator of random batches, without end."""
    random = np.random.default_rng(seed)
    while True:
        picked = random.choice(len(x), batch_size, replace=False)
        yield x[picked], y[picked]
