"""The batches on which losses are timed."""

import dataclasses
import functools
import math

import numpy as np
import scipy.ndimage


@dataclasses.dataclass(frozen=True)
class Case:
    """One batch.

    Attributes:
        shape: shape of the predictions, channels last.
        logits: predictions are logits, else probabilities.
        ids: labels are class ids, else one value per channel (always, for one channel).
        blobs: regions of some 10 pixels that overlap those of the labels, as a network gives them; else noise.
    """

    shape: tuple
    logits: bool
    ids: bool = False
    blobs: bool = False

    def __str__(self):
        return f"{'x'.join(map(str, self.shape))} {self.inputs}, {self.labels}"

    @property
    def channels(self):
        return self.shape[-1]

    @property
    def spatial_axes(self):
        return tuple(range(1, len(self.shape) - 1))

    @property
    def inputs(self):
        return "logits" if self.logits else "probabilities"

    @property
    def labels(self):
        return "mask" if self.channels == 1 else ("ids" if self.ids else "one-hot")

    @property
    def unit_bytes(self):
        return 4 * math.prod(self.shape)

    def predictions(self):
        """Predictions in float32, channels last; probabilities sum to 1 over several classes."""
        return _batch(self.shape, self.blobs)[0] if self.logits else _probabilities(self.shape, self.blobs)

    def truth(self):
        """Labels, channels last: int32 ids (B, *spatial), or float32 in the shape of the predictions."""
        ids = _batch(self.shape, self.blobs)[1]
        if self.ids:
            return ids
        if self.channels == 1:
            return ids[..., None].astype("float32")
        return np.eye(self.channels, dtype="float32")[ids]


@dataclasses.dataclass(frozen=True)
class EmbeddingCase:
    """One batch of vectors, in classes of 16.

    Attributes:
        batch: number of vectors.
        dimension: of a vector.
    """

    batch: int
    dimension: int
    inputs = "embeddings"
    labels = "ids"

    def __str__(self):
        return f"{self.batch}x{self.dimension}"

    @property
    def shape(self):
        return self.batch, self.dimension

    @property
    def unit_bytes(self):
        return 4 * self.batch**2

    def predictions(self):
        """Vectors around one centre for each class, float32."""
        random = np.random.default_rng(7)
        centres = random.normal(size=(self.batch // 16, self.dimension))
        return (np.repeat(centres, 16, axis=0) + random.normal(scale=2.0, size=self.shape)).astype("float32")

    def truth(self):
        return np.repeat(np.arange(self.batch // 16, dtype="int32"), 16)


def cases(shapes):
    """Probabilities and logits, and both forms of labels where there are two."""
    for shape in shapes:
        for ids in (False, True) if shape[-1] > 1 else (False,):
            for logits in (False, True):
                yield Case(shape, logits, ids)


@functools.lru_cache(maxsize=4)
def _batch(shape, blobs=False):
    random = np.random.default_rng(7)
    logits = random.normal(scale=2.0, size=shape).astype("float32")
    if blobs:
        rough = [0, *[5] * (len(shape) - 2), 0]
        truth, error = (scipy.ndimage.gaussian_filter(random.normal(size=shape), rough) for _ in range(2))
        logits = (200 * (truth + 0.5 * error)).astype("float32")
        return logits, (truth[..., 0] > 0 if shape[-1] == 1 else truth.argmax(axis=-1)).astype("int32")
    ids = random.integers(0, max(shape[-1], 2), size=shape[:-1]).astype("int32")
    return logits, ids


@functools.lru_cache(maxsize=4)
def _probabilities(shape, blobs=False):
    logits = _batch(shape, blobs)[0].astype("float64")
    if shape[-1] == 1:
        return (1.0 / (1.0 + np.exp(-logits))).astype("float32")
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype("float32")
