"""True positives, false negatives and false positives among objects, in groups."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import cc3d
import numpy as np

from kerasmith.recipes.matching import Matching

SIZES = (("small (< 150 pixels)", 0, 150), ("medium (150 to 400)", 150, 400), ("large (> 400)", 400, np.inf))


def object_table(
    truth: np.ndarray, predicted: np.ndarray, matching: Matching, sizes: Iterable[tuple[str, float, float]] = SIZES
) -> list[dict[str, Any]]:
    """Rows of a table of objects by size, and of those that are hard: that touch another one, that the edge cuts.

    Args:
        truth, predicted: (H, W) labels.
        matching: their `recipes.matching.Matching`.
        sizes: (name, smallest, first too large) in pixels.

    Returns:
        List of dicts with the keys objects, true, found, missed, invented. A false positive (invented) is in the group that it
        would be in if it were true. The last row counts all objects.
    """
    columns = {
        "found": (truth, matching.true_positives),
        "missed": (truth, matching.false_negatives),
        "invented": (predicted, matching.false_positives),
    }
    rows = []
    for name, belongs in _groups(sizes):
        row = {"objects": name}
        for column, (image, members) in columns.items():
            row[column] = sum(label in belongs(image) for label in members)
        rows.append({"objects": name, "true": row["found"] + row["missed"], **row})
    return rows


def touching(labels: np.ndarray) -> set[int]:
    """The labels of objects that share an edge with another object.

    >>> sorted(touching(np.array([[1, 1, 2, 0, 3]])))
    [1, 2]
    """
    pairs = cc3d.region_graph(np.ascontiguousarray(labels, np.uint32), connectivity=4)
    return {int(label) for pair in pairs for label in pair}


def at_edge(labels: np.ndarray) -> set[int]:
    """The labels of objects that reach the edge of the image."""
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return {int(label) for label in np.unique(edge) if label}


def of_size(labels: np.ndarray, smallest: float, too_large: float) -> set[int]:
    """The labels of objects of `smallest` <= pixels < `too_large`."""
    numbers, counts = np.unique(labels, return_counts=True)
    return {int(n) for n, count in zip(numbers, counts, strict=True) if n and smallest <= count < too_large}


def _groups(sizes: Iterable[tuple[str, float, float]]) -> Iterator[tuple[str, Callable[[np.ndarray], set[int]]]]:
    for name, smallest, too_large in sizes:
        yield name, lambda labels, s=smallest, t=too_large: of_size(labels, s, t)
    yield "touching another one", touching
    yield "cut by the edge", at_edge
    yield "all", lambda labels: of_size(labels, 0, np.inf)
