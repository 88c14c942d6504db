"""Cohen's kappa."""

from typing import Any

from kerasmith._types import Tensor
from kerasmith.base import register
from kerasmith.base.arguments import check_choice
from kerasmith.labels.confusion_measures import WEIGHTINGS, cohen_kappa
from kerasmith.metrics.class_counts import ClassCounts


@register
class CohenKappa(ClassCounts):
    """Cohen's kappa: agreement of truth and prediction beyond chance, 1 - sum(w m) / sum(w t p).

    m are the shares of the confusion matrix, t and p its margins; w is 1 off the diagonal, |i - j| ("linear") or (i - j)^2
    ("quadratic"), for classes that are grades.

    Args:
        num_classes: C; 2 for binary masks and probabilities.
        weighting: None, "linear" or "quadratic".
        top_k: see `metrics.class_counts.ClassCounts` (since 0.2).
        threshold, predictions, share: see `metrics.decided_classes.DecidedClasses`.
        from_logits, axis, labels, ignore_class: as in the losses; `ignore_class` may be a list.
        name, dtype: see `kerasmith.base.Metric`.

    Call arguments:
        y_true, y_pred, sample_weight: as of `metrics.ConfusionMatrix`.

    Returns:
        A scalar, 1 for full agreement and 0 for chance; NaN without data, and where all is of one class, which is no agreement
        beyond chance.

    Example:

    >>> metric = CohenKappa(3, weighting="quadratic")
    >>> import numpy as np
    >>> metric.update_state(np.array([0, 1, 2, 2]), np.array([0, 1, 1, 2]))
    >>> round(float(metric.result()), 3)
    0.8

    Reference: Cohen, "A coefficient of agreement for nominal scales", 1960; "Weighted kappa", 1968.
    """

    def __init__(self, num_classes: int, weighting: str | None = None, **kwargs: Any) -> None:
        check_choice("weighting", weighting, WEIGHTINGS)
        super().__init__(num_classes, **kwargs)
        self.weighting = weighting

    def combine_matrix(self, matrix: Tensor) -> Tensor:
        return cohen_kappa(matrix, self.weighting)
