"""One row per loss: how to build it and which family's rules it obeys. A new loss adds a row; test_completeness.py insists."""

import dataclasses

import numpy as np

from kerasmith import losses


@dataclasses.dataclass(frozen=True)
class Row:
    """A loss of the battery.

    Attributes:
        loss: the class.
        family: "region": pixel weights inside the sums; "pixel": sum(w l) / valid pixels; "sum": a sum of both.
        config: keyword arguments.
    """

    loss: type
    family: str
    config: dict = dataclasses.field(default_factory=dict)

    def build(self, **config):
        return self.loss(**{**self.config, **config})

    def __str__(self):
        return self.loss.__name__ + "".join(f"-{k}={v}" for k, v in self.config.items())


ROWS = [
    Row(losses.Dice, "region"),
    Row(losses.Dice, "region", {"smooth": 1.0, "absent": "skip"}),
    Row(losses.Jaccard, "region"),
    Row(losses.Tversky, "region", {"alpha": 0.8, "beta": 0.2}),
    Row(losses.FocalTversky, "region"),
    Row(losses.FocalTversky, "region", {"gamma": 2.0, "alpha": 0.3, "beta": 0.9}),
    Row(losses.GeneralizedDice, "region"),
    Row(losses.LogCoshDice, "region"),
    Row(losses.DiceIoU, "region", {"dice_weight": 0.3}),
    Row(losses.CrossEntropy, "pixel"),
    Row(losses.CrossEntropy, "pixel", {"label_smoothing": 0.1}),
    Row(losses.Focal, "pixel"),
    Row(losses.Focal, "pixel", {"gamma": 0.5, "alpha": 0.25}),
    Row(losses.DiceCE, "sum", {"dice_weight": 0.7, "ce_weight": 1.3}),
    Row(losses.DiceFocal, "sum"),
]


@dataclasses.dataclass(frozen=True)
class Batch:
    """Labels and predictions of random images."""

    y_true: np.ndarray
    y_pred: np.ndarray
    ids: np.ndarray


def batch(channels, *, size=(4, 6, 5), logits=False, seed=0):
    """Random images: one-hot labels, probabilities (or logits) and ids; every class occurs in every image."""
    rng = np.random.default_rng(seed)
    classes = max(channels, 2)
    ids = rng.integers(0, classes, size)
    ids.reshape(size[0], -1)[:, :classes] = np.arange(classes)
    scores = rng.normal(size=(*size, channels)) * 2
    if not logits:
        scores = 1 / (1 + np.exp(-scores)) if channels == 1 else np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    y_true = ids[..., None] if channels == 1 else np.eye(channels)[ids]
    return Batch(y_true.astype("float32"), scores.astype("float32"), ids)
