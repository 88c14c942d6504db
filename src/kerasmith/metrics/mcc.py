"""Matthews correlation coefficient."""

from kerasmith._types import Tensor
from kerasmith.base import register
from kerasmith.labels.confusion_measures import matthews_correlation
from kerasmith.metrics.class_counts import ClassCounts


@register
class MCC(ClassCounts):
    """Matthews correlation coefficient: the correlation of true and predicted classes, also for several classes.

    (s c - sum t_k p_k) / sqrt((s^2 - sum p_k^2) (s^2 - sum t_k^2)), with s elements, c hits, and t_k, p_k elements that
    are, and were decided to be, of class k.

    Args:
        num_classes: C; 2 for binary masks and probabilities.
        top_k: see `metrics.class_counts.ClassCounts` (since 0.2).
        threshold, predictions, share: see `metrics.decided_classes.DecidedClasses`.
        from_logits, axis, labels, ignore_class: as in the losses; `ignore_class` may be a list.
        name, dtype: see `kerasmith.base.Metric`.

    Call arguments:
        y_true, y_pred, sample_weight: as of `metrics.ConfusionMatrix`.

    Returns:
        A scalar in [-1, 1]; 0 where truth or prediction is of one class only, NaN without data.

    Example:

    >>> metric = MCC(2)
    >>> metric.update_state([0, 0, 1, 1], [[0.1], [0.7], [0.8], [0.9]])
    >>> round(float(metric.result()), 4)
    0.5774

    Reference: Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient", 2004.
    """

    def combine_matrix(self, matrix: Tensor) -> Tensor:
        return matthews_correlation(matrix)
