"""One row per loss: how to build it and which family's rules it obeys. A new loss adds a row; test_completeness.py insists."""

import dataclasses
from collections.abc import Callable

import numpy as np

from kerasmith import losses
from tests.losses import batches
from tests.support import loss_functions
from tests.support.tiny_backbone import tiny_backbone


@dataclasses.dataclass(frozen=True)
class Row:
    """A loss of the battery.

    Attributes:
        loss: the class.
        family: "region": pixel weights inside the sums; "pixel": sum(w l) / valid pixels; "sum": a sum of both; these three
            obey test_battery.py too. "independent": one value a sample that no other sample changes. "pairs": the value of a
            sample depends on the others.
        config: keyword arguments.
        data: a function without arguments that gives (y_true, y_pred) of 4 samples.
        slope: whether finite differences in float64 must give the gradient. Not where a part of the value is constant in it
            by design, nor through Keras' own losses, whose `ops.mean` rounds to float32.
        large: whether it takes seconds to compile what it computes.
        extreme: predictions of the same shape at the edge of the domain, as functions of y_pred.
    """

    loss: type
    family: str
    config: dict = dataclasses.field(default_factory=dict)
    data: Callable = None
    slope: bool = True
    large: bool = False
    extreme: tuple = (np.zeros_like, lambda y_pred: 1e4 * np.sign(y_pred))

    def batch(self):
        """(y_true, y_pred) of 4 samples."""
        if self.data is not None:
            return self.data()
        images = batch(3)
        return images.y_true, images.y_pred

    def build(self, **config):
        return self.loss(**{**self.config, **config})

    def __str__(self):
        return self.loss.__name__ + "".join(f"-{k}={_shown(v)}" for k, v in self.config.items())


def _shown(value):
    """A value without an address, which would give each test process names of its own."""
    if isinstance(value, list):
        return ",".join(map(_shown, value))
    return getattr(value, "name", None) or getattr(value, "__name__", None) or str(value)


ROWS = [
    Row(losses.Dice, "region"),
    Row(losses.Dice, "region", {"smooth": 1.0, "absent": "skip"}),
    Row(losses.Jaccard, "region"),
    Row(losses.Jaccard, "region", {"soft_labels": True}),
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
    Row(losses.UnifiedFocal, "sum"),
    Row(losses.UnifiedFocal, "sum", {"kind": "symmetric", "weight": 0.3, "delta": 0.8, "gamma": 0.2}),
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


def masks():
    """Binary masks with a disc each and probabilities that follow them roughly."""
    rng = np.random.default_rng(0)
    row, column = np.mgrid[:12, :10]
    truth = np.stack([(row - r) ** 2 + (column - c) ** 2 < 9 for r, c in ((4, 3), (6, 6), (5, 5), (7, 4))])[..., None]
    noise = rng.normal(size=truth.shape)
    return truth.astype("float32"), (1 / (1 + np.exp(-(3 * truth - 1.5 + noise)))).astype("float32")


# Losses of other inputs than labelled pixels, or with rules of their own for pixels: test_every_loss.py.
OTHER_ROWS = [
    Row(losses.PenalizedMSE, "independent", data=batches.targets),
    Row(losses.PenalizedMSE, "independent", {"factor": 0.5, "center": 0.5, "power": 2}, batches.targets),
    Row(losses.Charbonnier, "independent", data=batches.targets),
    Row(losses.Pinball, "independent", {"quantiles": 0.3}, batches.targets),
    Row(losses.Pinball, "independent", {"quantiles": [0.1, 0.5, 0.9], "crossing_penalty": 2.0}, batches.quantiles),
    Row(losses.GaussianNLL, "independent", data=batches.means_and_variances),
    Row(losses.GaussianNLL, "independent", {"variance": "softplus", "full": True}, batches.means_and_variances),
    Row(
        losses.ExposureWeighted,
        "independent",
        {"loss": losses.Charbonnier(1.0, dtype="float64"), "exposure": "sample_weight"},
        batches.targets,
    ),
    Row(losses.ClickDwell, "independent", {"dwell_weight": 0.5}, batches.clicks),
    Row(losses.SSIM, "independent", data=batches.images(13, 12, 2)),
    Row(losses.SSIM, "independent", {"window": [3, 5, 5], "max_val": 2.0}, batches.images(6, 7, 8, 1)),
    Row(losses.MSSSIM, "independent", {"window": 5, "scale_weights": [0.4, 0.6]}, batches.images(10, 9, 2)),
    Row(losses.TotalVariation, "independent", data=batches.images(6, 5, 2)),
    Row(losses.TotalVariation, "independent", {"kind": "isotropic"}, batches.images(6, 5, 4, 1)),
    Row(
        losses.Perceptual,
        "independent",
        {"backbone": tiny_backbone(), "layers": ["first", "second"]},
        batches.images(9, 8, 2),
        slope=False,  # the backbone computes in float32
    ),
    Row(
        losses.GramStyle,
        "independent",
        {"backbone": tiny_backbone(), "layers": ["first", "second"]},
        batches.images(9, 8, 2),
        slope=False,
        large=True,
    ),
    Row(losses.LPIPS, "independent", {"value_range": [0, 1]}, batches.images(32, 31, 3), slope=False, large=True),
    Row(losses.Contrastive, "independent", {"pos_margin": 0.2}, batches.distances),
    Row(losses.GeneratorLoss, "independent", data=batches.generated),
    Row(losses.GeneratorLoss, "independent", {"kind": "least_squares"}, batches.generated),
    Row(losses.DiscriminatorLoss, "independent", {"label_smoothing": 0.1}, batches.judged),
    Row(losses.DiscriminatorLoss, "independent", {"kind": "hinge"}, batches.judged),
    Row(losses.Triplet, "pairs", {"margin": 2.0}, batches.embeddings),
    Row(losses.Triplet, "pairs", {"mining": "hard", "distance": "cosine"}, batches.embeddings),
    Row(losses.Triplet, "pairs", {"margin": 5.0, "mining": "all", "distance": "squared"}, batches.embeddings),
    Row(losses.Triplet, "pairs", {"mining": "active", "normalize": True}, batches.embeddings),
    Row(losses.NTXent, "pairs", {"temperature": 0.3}, batches.embeddings),
    Row(losses.SupCon, "pairs", {"temperature": 0.3}, batches.embeddings),
    Row(losses.ArcFace, "independent", {"scale": 8.0}, batches.cosines, extreme=(np.zeros_like, np.sign)),
    Row(losses.MultiSimilarity, "pairs", {"beta": 10.0, "epsilon": 0.5}, batches.embeddings),
    Row(losses.CrossEntropy, "independent", {"top_k": 0.2}, masks),
    Row(losses.CrossEntropy, "independent", {"top_k": 7}, masks),
    Row(losses.Connectivity, "independent", {"connectivity": 4}, masks, slope=False),
    Row(losses.MinimumArea, "independent", {"area": 3, "connectivity": 4}, masks, slope=False),
    Row(losses.MinimumArea, "independent", {"area": 60, "per": "image"}, masks),
    Row(losses.Lovasz, "independent", data=masks),
    Row(losses.Lovasz, "independent", {"from_logits": True, "class_weights": [1, 2, 3]}),
    Row(losses.Lovasz, "independent", {"kind": "hinge", "from_logits": True}, masks),
    Row(losses.Boundary, "independent", data=masks),
    Row(losses.Boundary, "independent", {"include_background": True, "spacing": [2.0, 0.5]}),
    Row(losses.HausdorffDT, "independent", data=masks),
    Row(losses.HausdorffDT, "independent", {"alpha": 1.0, "from_logits": True}),
    Row(losses.CenterlineDice, "independent", {"iterations": 3}, masks),
    Row(losses.SoftConstraint, "independent", {"fn": loss_functions.excess, "margin": 0.1, "power": 2}, masks),
    Row(losses.FunctionLoss, "independent", {"fn": loss_functions.pulled, "fixed": {"factor": 0.3}}, masks),
    Row(losses.KerasLoss, "independent", {"loss": "mse"}, masks, slope=False),
    Row(
        losses.WeightedSum,
        "independent",
        {"losses": [losses.Dice(dtype="float64"), "mse"], "factors": [0.3, 2]},
        masks,
        slope=False,
    ),
]


def first_of_family(rows):
    """The first row of each family: what takes long is asked of these in every run, of the others in some."""
    first = {}
    for row in rows:
        first.setdefault(row.family, row)
    return {str(row) for row in first.values()}
