"""Outlines of truth and prediction drawn on an image, and patterns on objects that were missed or invented."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from kerasmith.objects.uncovered import uncovered
from kerasmith.report.patterns import dots, stripes
from kerasmith.report.pixels import enlarged, stretched

# The IBM colour-blind-safe set: the three stay apart for every reader and on a grey picture.
TRUTH = (255, 176, 0)
PREDICTION = (235, 60, 145)
AGREEMENT = (100, 160, 255)
_GAP = (20, 20, 20)


def overlay(
    image: ArrayLike,
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    scale: int = 1,
    tolerance: float = 1,
    percentiles: tuple[float, float] = (0.5, 99.5),
    false_negatives: ArrayLike | None = None,
    false_positives: ArrayLike | None = None,
) -> np.ndarray:
    """The image in grey with the outlines of the true and the predicted objects.

    `AGREEMENT` marks the true outline where a predicted one lies within `tolerance` pixels, `TRUTH` the rest of it
    (missed), `PREDICTION`, dashed, the predicted outline without a true one near it (invented). Objects that were missed
    altogether are striped, invented ones dotted.

    Args:
        image: (H, W), (H, W, 1) or (H, W, 3), any numbers; stretched between the two percentiles.
        truth, prediction: (H, W) or (H, W, 1), booleans or integer labels with background 0. Two touching objects
            with different labels have an outline between them.
        scale: each pixel becomes scale x scale pixels; outlines are about half an image pixel wide.
        tolerance: in pixels of `image`.
        percentiles: the image values shown as black and as white.
        false_negatives: (H, W) booleans, the pixels of the missed objects; by default true objects of which less than half was
            predicted (since 0.2).
        false_positives: the same of predicted objects.

    Returns:
        uint8 array of shape (scale * H, scale * W, 3).

    Raises:
        ValueError: for shapes that do not fit together, or masks of probabilities.

    Example:

    >>> disk = np.hypot(*np.mgrid[-8:9, -8:9]) < 5
    >>> overlay(disk * 1.0, disk, disk).shape
    (17, 17, 3)
    """
    grey = _grey(np.asarray(image))
    masks = [_labels(mask, name, grey.shape) for mask, name in ((truth, "truth"), (prediction, "prediction"))]
    if int(scale) != scale or scale < 1:
        raise ValueError(f"`scale` must be a whole number >= 1. Received: scale={scale}")
    picture = enlarged(stretched(grey, percentiles), int(scale))
    rgb = np.repeat(picture[..., None], 3, axis=-1)
    period = _period(rgb.shape[:2], int(scale))
    alone = [
        uncovered(own, other) if given is None else _labels(given, name, grey.shape) != 0
        for given, name, own, other in (
            (false_negatives, "false_negatives", *masks),
            (false_positives, "false_positives", *masks[::-1]),
        )
    ]
    for area, pattern, colour in ((alone[1], dots, PREDICTION), (alone[0], stripes, TRUTH)):
        _fill(rgb, enlarged(area, int(scale)), pattern(rgb.shape[:2], period), colour)
    true_line, predicted_line = (_line(enlarged(mask, int(scale)), int(scale) // 2) for mask in masks)
    reach = round(tolerance * scale)
    gaps = np.roll(stripes(rgb.shape[:2], 2 * period), period // 2, axis=1)
    extra = predicted_line & ~_grown(true_line, reach)
    rgb[extra] = PREDICTION
    rgb[extra & gaps & ~enlarged(alone[1], int(scale))] = _GAP
    rgb[true_line] = TRUTH
    rgb[true_line & _grown(predicted_line, reach)] = AGREEMENT
    return rgb


def _period(shape: tuple[int, int], scale: int) -> int:
    """Of the patterns in pixels: they stay visible where a wide picture is shown small."""
    return max(4, 2 * scale, 2 * (max(shape) // 100))


def _fill(rgb: np.ndarray, area: np.ndarray, pattern: np.ndarray, colour: tuple[int, int, int]) -> None:
    """The pattern in the colour, and what lies between darker, so that it stands out of a bright image too."""
    rgb[area] = rgb[area] // 2
    rgb[area & pattern] = colour


def outline(labels: np.ndarray) -> np.ndarray:
    """The pixels of objects that touch another label or the background on one of four sides.

    >>> outline(np.array([[0, 1, 1, 2, 2, 2, 2, 0]])).astype(int)
    array([[0, 1, 1, 1, 0, 0, 1, 0]])
    """
    labels = np.asarray(labels)
    edge = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        here, there = _halves(labels, axis)
        differs = here != there
        first, second = _halves(edge, axis)
        first |= differs
        second |= differs
    return edge & (labels != 0)


def _line(labels: np.ndarray, more: int) -> np.ndarray:
    """The outline and `more` pixels inside of it."""
    return _grown(outline(labels), more) & (labels != 0)


def _halves(array: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    length = array.shape[axis]
    return np.moveaxis(array, axis, 0)[: length - 1], np.moveaxis(array, axis, 0)[1:]


def _grown(mask: np.ndarray, reach: int) -> np.ndarray:
    """`mask` and all pixels within `reach` rows and columns of it."""
    for axis in (0, 1):
        grown = mask.copy()
        for step in range(1, min(reach, mask.shape[axis] - 1) + 1):
            source, target = np.moveaxis(mask, axis, 0), np.moveaxis(grown, axis, 0)
            target[step:] |= source[:-step]
            target[:-step] |= source[step:]
        mask = grown
    return mask


def _grey(image: np.ndarray) -> np.ndarray:
    if image.ndim == 3 and image.shape[-1] == 1:
        image = image[..., 0]
    if image.ndim == 3 and image.shape[-1] == 3:
        image = image.astype(float) @ np.array([0.2126, 0.7152, 0.0722])
    if image.ndim != 2 or 0 in image.shape:
        raise ValueError(f"Expected an image of shape (H, W), (H, W, 1) or (H, W, 3). Received: shape={image.shape}")
    return image.astype(float)


def _labels(mask: Any, name: str, shape: tuple[int, ...]) -> np.ndarray:
    mask = np.asarray(mask)
    if mask.ndim == 3 and mask.shape[-1] == 1:
        mask = mask[..., 0]
    if mask.shape != shape:
        raise ValueError(f"`{name}` must have the height and width of the image, {shape}. Received: shape={mask.shape}")
    if mask.dtype.kind == "f":
        if not np.all(mask == np.round(mask)):
            raise ValueError(
                f"`{name}` must hold labels or booleans, not probabilities: write `{name} > 0.5`. "
                f"Received: values from {mask.min():.3g} to {mask.max():.3g}"
            )
        mask = mask.astype(np.int64)
    return mask
