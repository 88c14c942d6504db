"""A segmentation in pictures of their own: the raw image, the probability, and what came of it."""

from typing import Any

import numpy as np

from kerasmith.report.overlays import overlay
from kerasmith.report.patterns import stripes
from kerasmith.report.pixels import as_pixels, enlarged, stretched
from kerasmith.report.prediction_pictures import coloured, label_map, picture_scale

PROBABILITY = "probability, black 0, white 1"
CERTAINTY = "probability of its class, black 0, white 1"


def segmentation_panels(
    image: np.ndarray,
    truth: np.ndarray | None,
    predicted: np.ndarray,
    probability: np.ndarray | None = None,
    *,
    classes: int = 2,
    scale: int | None = None,
    valid: np.ndarray | None = None,
    **alone: Any,
) -> dict[str, np.ndarray]:
    """{title: uint8 picture}, what came of it last.

    Args:
        image: (H, W, 1 | 3), any numbers.
        truth: (H, W) booleans, labels of objects, or classes; None for none.
        predicted: (H, W), the same.
        probability: (H, W) of the object, or of the class that was chosen; None for none.
        classes: of more than two, the classes are filled, and pixels of another class than the true one striped.
        scale: of the pictures; by default small ones are enlarged.
        valid: (H, W), where the truth counts; everywhere by default.
        **alone: `false_negatives` and `false_positives` of `overlay`.
    """
    scale = picture_scale(image) if scale is None else scale
    displayed = {"image": enlarged(stretched(image), scale)}
    if probability is not None:
        certainty = np.nan_to_num(np.asarray(probability, float)).clip(0, 1)
        displayed[CERTAINTY if classes > 2 else PROBABILITY] = enlarged(as_pixels(certainty), scale)
    if classes <= 2:
        nothing = np.zeros(image.shape[:2], bool)
        title = "prediction" if truth is None else "truth and prediction"
        return {**displayed, title: overlay(image, nothing if truth is None else truth, predicted, scale=scale, **alone)}
    if truth is not None:
        displayed["truth"] = coloured(image, truth, classes, scale)
    prediction = coloured(image, predicted, classes, scale)
    if truth is None:
        return {**displayed, "prediction": prediction}
    wrong = (truth != predicted) & (True if valid is None else valid)
    pattern = stripes(prediction.shape[:2], max(4, 2 * scale, 2 * (max(prediction.shape) // 100)))
    prediction[enlarged(wrong, scale) & pattern] = 255
    return {**displayed, "prediction, wrong pixels striped": prediction}


def scored_panels(
    image: np.ndarray, truth: Any, scores: np.ndarray, *, threshold: float = 0.5, from_logits: bool = False
) -> dict[str, np.ndarray]:
    """`segmentation_panels` of what a network says.

    Args:
        image: (H, W, 1 | 3), any numbers.
        truth: (H, W), (H, W, 1) labels or (H, W, C) one-hot; None for none.
        scores: (H, W, C); for C = 1 a pixel belongs to the object above `threshold`.
        threshold: a probability.
        from_logits: whether scores are logits rather than probabilities.

    >>> scores = np.zeros((4, 4, 3))
    >>> list(scored_panels(np.zeros((4, 4, 1)), None, scores, from_logits=True))
    ['image', 'probability of its class, black 0, white 1', 'prediction']
    """
    scores, classes = np.asarray(scores, float), scores.shape[-1]
    if from_logits:
        both = np.concatenate([np.zeros_like(scores), scores], -1) if classes == 1 else scores
        powers = np.exp(both - both.max(-1, keepdims=True))
        scores = (powers / powers.sum(-1, keepdims=True))[..., -classes:]
    predicted = scores[..., 0] > threshold if classes == 1 else scores.argmax(-1)
    labels = None if truth is None else label_map(truth)
    if labels is not None and classes <= 2:
        labels = labels == 1 if classes == 2 else labels > 0
    probability = scores.max(-1) if classes > 2 else scores[..., -1]
    return segmentation_panels(image, labels, predicted, probability, classes=classes)
