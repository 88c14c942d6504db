"""How well a prediction agrees with the truth: the mask, and which predicted objects are true ones."""

import dataclasses

import numpy as np

from kerasmith.objects.components import overlaps, renumber_objects
from kerasmith.objects.matching import match


@dataclasses.dataclass(frozen=True)
class Matching:
    """True and predicted objects, paired one to one.

    Attributes:
        pairs: [(true label, predicted label)] of the objects found.
        missed: labels of true objects without a partner.
        invented: labels of predicted objects without a partner.
    """

    pairs: tuple
    missed: tuple
    invented: tuple

    @property
    def found(self):
        """The true labels that were found."""
        return tuple(true for true, _ in self.pairs)

    @property
    def precision(self):
        """Found / predicted; NaN when nothing was predicted."""
        return _ratio(len(self.pairs), len(self.pairs) + len(self.invented))

    @property
    def recall(self):
        """Found / true; NaN when there is nothing to find."""
        return _ratio(len(self.pairs), len(self.pairs) + len(self.missed))

    @property
    def f1(self):
        """2 found / (true + predicted); NaN when there is neither."""
        return _ratio(2 * len(self.pairs), 2 * len(self.pairs) + len(self.missed) + len(self.invented))


def dice(truth, predicted):
    """2 |A and B| / (|A| + |B|) of two boolean masks; NaN when both are empty.

    >>> dice(np.array([True, True, False]), np.array([True, False, False]))
    0.6666666666666666
    """
    return _ratio(2 * int(np.sum(truth & predicted)), int(np.sum(truth) + np.sum(predicted)))


def match_objects(truth, predicted, *, iou_threshold=0.5):
    """Pairs every true object with the predicted one that overlaps it with IoU > `iou_threshold`.

    Above one half there is at most one partner on either side, so the pairing needs no search.

    Args:
        truth, predicted: integer labels of one shape, background 0.
        iou_threshold: in [0.5, 1).

    Returns:
        A `Matching`.

    Example:

    >>> match_objects(np.array([1, 1, 1, 0, 2]), np.array([7, 7, 0, 9, 0]))
    Matching(pairs=((1, 7),), missed=(2,), invented=(9,))
    """
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    if truth.shape != predicted.shape:
        raise ValueError(f"Expected labels of one shape. Received: shapes {truth.shape} and {predicted.shape}")
    if not 0.5 <= iou_threshold < 1:
        raise ValueError(f"Pairs are unique for thresholds in [0.5, 1). Received: iou_threshold={iou_threshold}")
    true_ids, predicted_ids = (np.unique(labels[labels > 0]).tolist() for labels in (truth, predicted))
    pairs = overlaps(renumber_objects(truth)[0], renumber_objects(predicted)[0])
    chosen = match(pairs, iou_threshold)
    matched = [(true_ids[i], predicted_ids[j]) for i, j in zip(pairs.first[chosen], pairs.second[chosen])]
    found, used = {true for true, _ in matched}, {other for _, other in matched}
    return Matching(
        pairs=tuple(matched),
        missed=tuple(label for label in true_ids if label not in found),
        invented=tuple(label for label in predicted_ids if label not in used),
    )


def _ratio(part, whole):
    return part / whole if whole else float("nan")
