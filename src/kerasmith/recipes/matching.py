"""Which predicted objects are true ones: what a table and a caption need beside the figures of `LesionDetection`."""

import dataclasses

import numpy as np

from kerasmith.objects.components import overlaps, renumber_objects
from kerasmith.objects.matching import match


@dataclasses.dataclass(frozen=True)
class Matching:
    """True and predicted objects, paired one to one.

    Attributes:
        pairs: [(true label, predicted label)] of the true positives.
        false_negatives: labels of true objects without a partner.
        false_positives: labels of predicted objects without a partner.
    """

    pairs: tuple[tuple[int, int], ...]
    false_negatives: tuple[int, ...]
    false_positives: tuple[int, ...]

    @property
    def true_positives(self) -> tuple[int, ...]:
        """The true labels that have a partner."""
        return tuple(true for true, _ in self.pairs)


def match_objects(truth: np.ndarray, predicted: np.ndarray, *, iou_threshold: float = 0.5) -> Matching:
    """Pairs every true object with the predicted one that overlaps it with IoU > `iou_threshold`.

    Above one half there is at most one partner on either side, so the pairing needs no search.

    Args:
        truth, predicted: integer labels of one shape, background 0.
        iou_threshold: in [0.5, 1).

    Returns:
        A `Matching`.

    Example:

    >>> match_objects(np.array([1, 1, 1, 0, 2]), np.array([7, 7, 0, 9, 0]))
    Matching(pairs=((1, 7),), false_negatives=(2,), false_positives=(9,))
    """
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    if truth.shape != predicted.shape:
        raise ValueError(f"Expected labels of one shape. Received: shapes {truth.shape} and {predicted.shape}")
    if not 0.5 <= iou_threshold < 1:
        raise ValueError(f"Pairs are unique for thresholds in [0.5, 1). Received: iou_threshold={iou_threshold}")
    true_ids, predicted_ids = (np.unique(labels[labels > 0]).tolist() for labels in (truth, predicted))
    candidates = overlaps(renumber_objects(truth)[0], renumber_objects(predicted)[0])
    chosen = match(candidates, iou_threshold)
    pairs = [(true_ids[i], predicted_ids[j]) for i, j in zip(candidates.first[chosen], candidates.second[chosen])]
    matched_true, matched_predicted = {true for true, _ in pairs}, {other for _, other in pairs}
    return Matching(
        pairs=tuple(pairs),
        false_negatives=tuple(label for label in true_ids if label not in matched_true),
        false_positives=tuple(label for label in predicted_ids if label not in matched_predicted),
    )
