"""One picture of one prediction: masks, images, classes."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from kerasmith.report.numbers import format_number
from kerasmith.report.overlays import AGREEMENT, PREDICTION, TRUTH, overlay
from kerasmith.report.palette import LIGHT
from kerasmith.report.pixels import beside, enlarged, resized, rgb, stretched

_SIDE = 256  # smaller pictures are enlarged to about this
_MOST_BARS = 12


def segmented(image: np.ndarray, truth: Any, prediction: np.ndarray, *, threshold: float = 0.5) -> np.ndarray:
    """Outlines of a mask on the image; for more than two classes the classes in colour, truth beside prediction.

    Args:
        image: (H, W, 1 | 3), any numbers.
        truth: (H, W), (H, W, 1) labels or (H, W, C) one-hot; None for none.
        prediction: (H, W, C) scores; for C = 1 a pixel belongs to the object above `threshold`.

    Returns:
        uint8 picture (H', W', 3).

    Raises:
        ValueError: when the sizes differ.
    """
    scale = picture_scale(image)
    classes = prediction.shape[-1]
    predicted = prediction[..., 0] > threshold if classes == 1 else prediction.argmax(-1)
    true_labels = None if truth is None else label_map(truth)
    for name, labels in (("truth", true_labels), ("prediction", predicted)):
        if labels is not None and labels.shape != image.shape[:2]:
            raise ValueError(f"The {name} must have the size of the image {image.shape[:2]}. Received: shape {labels.shape}")
    if classes <= 2:
        none = np.zeros(predicted.shape, bool)
        return overlay(
            image,
            none if true_labels is None else true_labels == 1 if classes == 2 else true_labels > 0,
            predicted,
            scale=scale,
        )
    return beside([coloured(image, labels, classes, scale) for labels in (true_labels, predicted) if labels is not None])


def class_legend(names: Iterable[object]) -> dict[str, tuple[int, int, int]]:
    """{text: colour} of the classes that `segmented` fills; the first, the background, has none."""
    return {str(name): _colour(c) for c, name in enumerate(names) if c}


def translated(image: np.ndarray, truth: Any, prediction: np.ndarray) -> np.ndarray:
    """Input, prediction and truth side by side; prediction and truth on one scale of grey.

    Args:
        image, truth, prediction: (H, W, 1 | 3), any numbers and sizes; `truth` may be None.

    Raises:
        ValueError: for another number of channels.
    """
    for name, array in (("truth", truth), ("prediction", prediction)):
        if array is not None and array.shape[-1] not in (1, 3):
            raise ValueError(f"The {name} must be an image (H, W, 1) or (H, W, 3). Received: shape {array.shape}")
    height, width = prediction.shape[:2]
    like = prediction if truth is None else truth
    parts = [resized(stretched(image), height, width), stretched(prediction, like=like)]
    parts += [] if truth is None else [resized(stretched(truth), height, width)]
    return beside([enlarged(rgb(part), picture_scale(prediction)) for part in parts])


def classified(
    image: np.ndarray, truth: Any, probabilities: ArrayLike, names: Sequence[object] | None = None
) -> tuple[np.ndarray, str]:
    """The image, and a bar for the probability of each class; of many classes the likeliest and the true one.

    Args:
        image: (H, W, 1 | 3), any numbers.
        truth: class id, or one-hot (C,); None for none.
        probabilities: (C,), or (1,) for the second of two classes.
        names: texts of the classes, numbers by default.

    Returns:
        (uint8 picture, caption): the bar of the true class is in the colour of agreement, or of the truth where the
        prediction is another class.

    Raises:
        ValueError: for what are no probabilities, or names that do not fit.
    """
    p = np.asarray(probabilities, float).ravel()
    p = np.array([1 - p[0], p[0]]) if p.size == 1 else p
    if np.any(p < -1e-3) or np.any(p > 1.001):
        raise ValueError(
            "Probabilities lie between 0 and 1: write from_logits=True for a model without softmax or sigmoid, or "
            f"images of another kind for a regression. Received: values from {p.min():.3g} to {p.max():.3g}"
        )
    names = [str(n) for n in (range(len(p)) if names is None else names)]
    if len(names) != len(p):
        raise ValueError(f"One name for each of the {len(p)} classes. Received: class_names={names}")
    true = _class_id(truth, len(p))
    best = int(np.argmax(p)) if np.all(np.isfinite(p)) else None
    picture = enlarged(rgb(stretched(image)), picture_scale(image))
    caption = "no numbers" if best is None else f"{names[best]} {format_number(p[best], 2)}"
    if true is not None:
        caption += (
            ", right" if true == best else f", truth {names[true]}" + ("" if best is None else f" {format_number(p[true], 2)}")
        )
    likeliest = np.argsort(-p)[:_MOST_BARS].tolist()
    if true is not None and true not in likeliest:
        likeliest[-1] = true
    classes = sorted(likeliest)
    return beside(
        [picture, _bars(np.nan_to_num(p)[classes], [_bar_colour(c, true, best) for c in classes], len(picture))]
    ), caption


def _bars(values: Sequence[float] | np.ndarray, colours: Sequence[tuple[int, int, int]], height: int) -> np.ndarray:
    width, space = _SIDE // 2, height / len(values)
    panel = np.full((height, width, 3), 255, np.uint8)
    for i, (value, colour) in enumerate(zip(values, colours, strict=True)):
        top, bottom = (
            round(i * space + 0.15 * space),
            max(round((i + 1) * space - 0.15 * space), round(i * space + 0.15 * space) + 1),
        )
        panel[top:bottom] = (236, 238, 240)
        panel[top:bottom, : round(np.clip(value, 0, 1) * width)] = colour
    return panel


def _bar_colour(c: int, true: int | None, best: int | None) -> tuple[int, int, int]:
    if c == true:
        return AGREEMENT if c == best else TRUTH
    return PREDICTION if c == best and true is not None else (120, 128, 136)


def _class_id(truth: Any, classes: int) -> int | None:
    if truth is None:
        return None
    truth = np.asarray(truth).ravel()
    if truth.size == classes and classes > 1:
        return int(truth.argmax())
    predicted = int(truth[0])
    return predicted if truth.size == 1 and 0 <= predicted < classes else None


def label_map(truth: Any) -> np.ndarray:
    """(H, W) of labels (H, W), (H, W, 1) or one-hot (H, W, C)."""
    truth = np.asarray(truth)
    if truth.ndim == 3:
        truth = truth[..., 0] if truth.shape[-1] == 1 else truth.argmax(-1)
    return truth.astype(np.int64)


def coloured(image: np.ndarray, labels: np.ndarray, classes: int, scale: int) -> np.ndarray:
    """The image in grey with its classes filled, the background not."""
    grey = rgb(stretched(image.astype(float).mean(-1)))
    for c in range(1, classes):
        grey[labels == c] = (0.45 * grey[labels == c] + 0.55 * np.array(_colour(c))).round()
    return enlarged(grey, scale)


def _colour(c: int) -> tuple[int, int, int]:
    text = LIGHT[(c - 1) % len(LIGHT)]
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def picture_scale(image: np.ndarray) -> int:
    """How often a picture is enlarged to be seen well."""
    return max(1, _SIDE // max(image.shape[:2]))
