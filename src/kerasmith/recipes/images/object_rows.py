"""One row for each object of a prediction."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasmith.objects.components import label_objects, renumber_objects

AXES: dict[int, tuple[str, ...]] = {2: ("row", "column"), 3: ("plane", "row", "column")}


def object_rows(
    mask: np.ndarray,
    classes: Sequence[str],
    *,
    probabilities: np.ndarray | None = None,
    spacing: Sequence[float] | None = None,
    instances: bool = False,
) -> list[dict[str, Any]]:
    """What is measured of each object.

    Args:
        mask: (H, W) or (D, H, W) class ids, whose connected pieces are the objects (diagonal neighbours too); or with
            `instances` the ids of objects.
        classes: names, background first.
        probabilities: (.., K), one for each class but the background, or (.., 1).
        spacing: size of a pixel along each axis.
        instances: see `mask`.

    Returns:
        Dicts with the keys object (from 1; with `instances` the id in the mask), class, pixels, size (area or volume in units
        of the spacing; "" without), the centre along each axis in pixels, from and to (the box, `to` excluded), at_edge (the
        object reaches the edge of the image) and probability (mean over the object; "" without).

    Example:

    >>> rows = object_rows(np.array([[0, 1, 1], [0, 0, 0], [2, 0, 0]]), ["background", "cell", "dirt"])
    >>> [(row["object"], row["class"], row["pixels"], row["row"], row["column"]) for row in rows]
    [(1, 'cell', 2, 0.0, 1.5), (2, 'dirt', 1, 2.0, 0.0)]
    """
    mask = np.asarray(mask)
    rows: list[dict[str, Any]] = []
    if instances:
        ids = [int(value) for value in np.unique(mask) if value]
        labels, _ = renumber_objects(mask)
        return _measured(labels, ids, classes[1], _of_class(probabilities, 0), spacing)
    for index, name in enumerate(classes[1:], 1):
        labels, count = label_objects(mask == index)
        ids = list(range(len(rows) + 1, len(rows) + count + 1))
        rows += _measured(labels, ids, name, _of_class(probabilities, index - 1), spacing)
    return rows


def columns(dimensions: int) -> tuple[str, ...]:
    """The keys of `object_rows`, in order."""
    axes = AXES[dimensions]
    boxes = tuple(f"{axis}_{end}" for axis in axes for end in ("from", "to"))
    return ("object", "class", "pixels", "size", *axes, *boxes, "at_edge", "probability")


def _measured(
    labels: np.ndarray, ids: Sequence[int], name: str, probability: np.ndarray | None, spacing: Sequence[float] | None
) -> list[dict[str, Any]]:
    count = len(ids)
    if not count:
        return []
    places = np.nonzero(labels)
    numbers = labels[places] - 1
    pixels = np.bincount(numbers, minlength=count)
    centres = [np.bincount(numbers, place, minlength=count) / pixels for place in places]
    first, last = np.full((labels.ndim, count), np.iinfo(np.int64).max), np.full((labels.ndim, count), -1)
    for axis, place in enumerate(places):
        np.minimum.at(first[axis], numbers, place)
        np.maximum.at(last[axis], numbers, place)
    edge = np.any((first == 0) | (last == np.array(labels.shape)[:, None] - 1), axis=0)
    mean = None if probability is None else np.bincount(numbers, probability[places], minlength=count) / pixels
    unit = None if spacing is None else float(np.prod(spacing))
    rows = []
    for i, number in enumerate(ids):
        row = {"object": number, "class": name, "pixels": int(pixels[i]), "size": "" if unit is None else pixels[i] * unit}
        row |= {axis: float(centre[i]) for axis, centre in zip(AXES[labels.ndim], centres)}
        for axis, name_of_axis in enumerate(AXES[labels.ndim]):
            row |= {f"{name_of_axis}_from": int(first[axis, i]), f"{name_of_axis}_to": int(last[axis, i]) + 1}
        rows.append(row | {"at_edge": int(edge[i]), "probability": "" if mean is None else float(mean[i])})
    return rows


def _of_class(probabilities: np.ndarray | None, index: int) -> np.ndarray | None:
    if probabilities is None:
        return None
    return probabilities[..., min(index, probabilities.shape[-1] - 1)]
