"""The batches that both sides of a row are given, channels last."""

import numpy as np

rng = np.random.default_rng(3)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


# Binary masks, logits and probabilities; three classes; three independent masks.
mask = (rng.random((3, 12, 12, 1)) < 0.4).astype("float32")
mask_logits = (2 * rng.normal(size=mask.shape) + mask).astype("float32")
mask_probabilities = _sigmoid(mask_logits).astype("float32")
ids = rng.integers(0, 3, (3, 12, 12))
one_hot = np.eye(3, dtype="float32")[ids]
logits = (2 * rng.normal(size=one_hot.shape) + one_hot).astype("float32")
probabilities = _softmax(logits).astype("float32")
masks = (rng.random((3, 12, 12, 3)) < 0.4).astype("float32")
masks_probabilities = _sigmoid(rng.normal(size=masks.shape)).astype("float32")
masks_logits = np.log(masks_probabilities / (1 - masks_probabilities)).astype("float32")

# Samples of classes.
labels = np.arange(60) % 2
scores = _sigmoid(rng.normal(size=60) + labels).astype("float32")
class_ids = rng.integers(0, 3, 60)
class_scores = _softmax(rng.normal(size=(60, 3)) + np.eye(3)[class_ids]).astype("float32")
label_sets = (rng.random((60, 3)) < 0.4).astype("int32")
label_scores = _sigmoid(rng.normal(size=(60, 3)) + label_sets).astype("float32")

# Classes of equal size, two views of four samples, images, queries, and (category, instance) maps.
embedding_ids = np.repeat(np.arange(4), 2)
embeddings = rng.normal(size=(8, 5)).astype("float32")
views = np.tile(np.arange(4), 2)
image = rng.random((2, 24, 24, 1)).astype("float32")
noisy = np.clip(image + 0.1 * rng.normal(size=image.shape), 0, 1).astype("float32")
query_ids = np.repeat(np.arange(5), 6)
relevance = (rng.random(30) < 0.4).astype("int64")
relevance[:6] = 0  # one query without a relevant candidate
query_scores = rng.random(30).astype("float32")
panoptic = np.stack([rng.integers(0, 3, (2, 8, 8)), rng.integers(0, 2, (2, 8, 8))], -1)
panoptic_predictions = np.where(rng.random((2, 8, 8, 1)) < 0.3, panoptic[::-1], panoptic)
