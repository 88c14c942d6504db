"""Which faults were found, missed and invented, by kind."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasmith.objects.components import label_objects

SMALLEST = 4
"""Pixels of the smallest predicted fault."""
COVERED = 0.25
"""Share of a true fault that has to be predicted for it to count as found."""


@dataclasses.dataclass(frozen=True)
class FaultCounts:
    """One number a kind each.

    Attributes:
        true_positives: true faults of which at least `COVERED` was predicted.
        named: those of them whose predicted kind is right too.
        false_negatives: the other true faults.
        false_positives: predicted faults that touch no true one, by predicted kind.
    """

    true_positives: np.ndarray
    named: np.ndarray
    false_negatives: np.ndarray
    false_positives: np.ndarray

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FN + FP) over all kinds; NaN without any fault."""
        tp, fn, fp = (float(part.sum()) for part in (self.true_positives, self.false_negatives, self.false_positives))
        return 2 * tp / (2 * tp + fn + fp) if tp + fn + fp else float("nan")

    def rows(self, kinds: Sequence[str]) -> list[dict[str, Any]]:
        """Rows of a table, one a kind and one for all."""
        counts = np.stack(
            [
                self.true_positives + self.false_negatives,
                self.true_positives,
                self.named,
                self.false_negatives,
                self.false_positives,
            ],
            axis=1,
        )
        heads = ("true", "found", "named right", "missed", "invented")
        named = [*zip(kinds, counts, strict=True), ("all", counts.sum(0))]
        return [{"kind of fault": kind, **dict(zip(heads, map(int, row)))} for kind, row in named]


def count_faults(
    kinds: np.ndarray, faults: np.ndarray, predicted: np.ndarray, predicted_kinds: np.ndarray, number: int
) -> FaultCounts:
    """Compares predicted faults with true ones, board by board.

    Args:
        kinds: (N, H, W), 0 or 1 + the kind.
        faults: (N, H, W), one number per true fault of a board.
        predicted: (N, H, W) booleans; its connected pieces (8 neighbours) of at least `SMALLEST` pixels are the predicted
            faults.
        predicted_kinds: (N, H, W), the kind 0..number - 1 of each pixel; the most frequent one in a fault is its kind.
        number: of kinds.

    Example:

    >>> truth = np.array([[[1, 1, 1, 1, 0, 0, 0, 0, 0]]])
    >>> mask = np.array([[[0, 0, 0, 0, 0, 1, 1, 1, 1]]], bool)
    >>> counts = count_faults(truth, truth, mask, np.zeros_like(truth), 2)
    >>> counts.true_positives.tolist(), counts.false_negatives.tolist(), counts.false_positives.tolist()
    ([0, 0], [1, 0], [1, 0])
    """
    true_positives, named, false_negatives, false_positives = np.zeros((4, number), int)
    for kind_map, fault_map, mask, names in zip(kinds, faults, predicted, predicted_kinds, strict=True):
        objects, count = label_objects(mask, connectivity=8, min_size=SMALLEST)
        for fault in range(1, int(fault_map.max(initial=0)) + 1):
            pixels = fault_map == fault
            kind = int(kind_map[pixels][0]) - 1
            hit = pixels & (objects > 0)
            if hit.sum() < COVERED * pixels.sum():
                false_negatives[kind] += 1
                continue
            true_positives[kind] += 1
            named[kind] += _most_frequent(names[hit]) == kind
        for number_of_object in range(1, count + 1):
            pixels = objects == number_of_object
            if not (fault_map[pixels] > 0).any():
                false_positives[_most_frequent(names[pixels])] += 1
    return FaultCounts(true_positives, named, false_negatives, false_positives)


def _most_frequent(values):
    return int(np.bincount(values.astype(int)).argmax())
