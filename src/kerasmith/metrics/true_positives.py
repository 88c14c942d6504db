"""True positives."""

from typing import Any

from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import register
from kerasmith.labels.confusion_measures import region_sums_of
from kerasmith.metrics.class_counts import ClassCounts


@register
class TruePositives(ClassCounts):
    """How many elements were rightly decided to be of their class.

    Of two classes only the hits of class 1 count, the positive one.

    Args:
        num_classes: C; 2 for binary masks and probabilities.
        per_class: give one count for each class, `<name>_<class>`.
        top_k: see `metrics.class_counts.ClassCounts` (since 0.2).
        threshold, predictions, share: see `metrics.decided_classes.DecidedClasses`.
        from_logits, axis, labels, ignore_class: as in the losses; `ignore_class` may be a list.
        name, dtype: see `kerasmith.base.Metric`.

    Call arguments:
        y_true, y_pred, sample_weight: as of `metrics.ConfusionMatrix`.

    Returns:
        A scalar, or a dict for `per_class`; 0 without data: it is a count.

    Example:

    >>> metric = TruePositives(3)
    >>> metric.update_state([[0], [2], [1]], [[0.8, 0.1, 0.1], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2]])
    >>> float(metric.result())
    2.0
    """

    def __init__(self, num_classes: int, *, per_class: bool = False, **kwargs: Any) -> None:
        super().__init__(num_classes, **kwargs)
        self.per_class = per_class

    def combine_matrix(self, matrix: Tensor) -> Tensor | dict[str, Tensor]:
        hits = region_sums_of(matrix).intersection
        if self.per_class:
            return {self.key(c): hits[..., c] for c in range(self.num_classes)}
        return hits[..., 1] if self.num_classes == 2 else ops.sum(hits, axis=-1)
