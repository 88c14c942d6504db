"""Confusion matrix."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from kerasmith._moved import moved_method
from kerasmith._types import Tensor
from kerasmith.base import register
from kerasmith.base.arguments import check_choice, check_number
from kerasmith.labels.confusion_measures import mean_over_classes, per_class, region_sums_of
from kerasmith.labels.overlap import RegionSums
from kerasmith.metrics.class_counts import ClassCounts, normalized
from kerasmith.numerics import safe

QUANTITIES = ("precision", "recall", "f1", "fbeta", "iou", "specificity", "support")


@register
class ConfusionMatrix(ClassCounts):
    """Confusion matrix, with precision, recall, F1 and IoU of each class and their means.

    Entry (t, p) counts elements of true class t that were decided as p. With TP, FP, FN, TN of a class:
    precision = TP / (TP + FP), recall = TP / (TP + FN), F1 = 2 TP / (2 TP + FP + FN), IoU = TP / (TP + FP + FN),
    specificity = TN / (TN + FP), F-beta = (1 + beta^2) TP / ((1 + beta^2) TP + FP + beta^2 FN).

    Args:
        num_classes: C; 2 for binary masks and probabilities.
        class_names: C texts for the keys and the picture; 0, 1, 2, ... by default.
        report: which quantities `result()` holds, of "precision", "recall", "f1", "fbeta", "iou", "specificity" and "support"
            (true elements).
        per_class: whether each class has keys of its own, or only the means do.
        average: what stands under `<name>_<quantity>`: "macro": the mean over classes; "weighted": the mean weighed by their
            true elements; "micro": the quantity of the summed TP, FP, FN and TN of all classes; None: nothing.
            "support" is the mean for "macro", else the sum (since 0.2).
        beta: weight of recall against precision; with a number, "fbeta" is reported (since 0.2).
        absent: a quantity of a class that would be 0 / 0, such as the precision of one never predicted: "skip": NaN, and left
            out of the mean; "zero": 0, in the mean too (scikit-learn's default); "skip_both": NaN for a class that is neither
            true nor predicted anywhere, else 0 (torchmetrics; since 0.2).
        multi_label: the channels are independent binary masks: C matrices of 2 x 2.
        top_k: see `metrics.class_counts.ClassCounts` (since 0.2).
        threshold, predictions, share: see `metrics.decided_classes.DecidedClasses`.
        from_logits, axis, labels, ignore_class: as in the losses; `ignore_class` may be a list.
        name, dtype: see `kerasmith.base.Metric`.

    Call arguments:
        y_true: ids (B, *spatial) or (B, *spatial, 1), or one-hot in the shape of y_pred.
        y_pred: scores (B, *spatial, C), or (B, *spatial, 1) for two classes; or ids (B, *spatial).
        sample_weight: (B,) or (B, *spatial[, 1]).

    Returns:
        A dict: for each quantity its average over classes, `<name>_<quantity>`, and `<name>_<quantity>_<class>`; then
        `<name>_accuracy`, and `<name>_classes`, how many classes occur in truth or prediction. NaN without data.

    Raises:
        ValueError: for scores where ids are expected or the other way, or another number of channels than `num_classes`.

    Example:

    >>> metric = ConfusionMatrix(2, class_names=["cell", "debris"], report=["recall"])
    >>> metric.update_state([0, 0, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7]])
    >>> metric.matrix().tolist()
    [[1.0, 1.0], [0.0, 2.0]]
    >>> float(metric.result()["confusion_matrix_recall_cell"])
    0.5
    """

    directions: dict[str, str | None] = {"support": None, "classes": None}
    takes_multi_label = True

    def __init__(
        self,
        num_classes: int,
        class_names: Sequence[Any] | None = None,
        report: Sequence[str] = ("precision", "recall", "f1", "iou"),
        *,
        per_class: bool = True,
        average: str | None = "macro",
        beta: float | None = None,
        absent: str = "skip",
        **kwargs: Any,
    ) -> None:
        super().__init__(num_classes, **kwargs)
        check_choice("average", average, ("macro", "micro", "weighted", None))
        check_choice("absent", absent, ("skip", "zero", "skip_both"))
        if isinstance(report, str) or not set(report) <= set(QUANTITIES):
            raise ValueError(f"`report` must be a list of some of {', '.join(QUANTITIES)}. Received: report={report!r}")
        if class_names is not None and (isinstance(class_names, str) or len(set(map(str, class_names))) != num_classes):
            raise ValueError(
                f"`class_names` must be {num_classes} different texts, one per class. Received: class_names={class_names!r}"
            )
        if beta is not None:
            check_number("beta", beta, above=0)
        elif "fbeta" in report:
            raise ValueError("`report` holds 'fbeta', and `beta` is missing: write `beta=2.0` to weigh recall more, 0.5 less.")
        if average is None and not per_class:
            raise ValueError(
                "average=None leaves the results of each class only. Received: per_class=False. Write `per_class=True`."
            )
        self.class_names = class_names
        self.report = report
        self.per_class = per_class
        self.average = average
        self.beta = beta
        self.absent = absent

    def combine_matrix(self, matrix: Tensor) -> dict[str, Tensor]:
        total = ops.sum(matrix, axis=(-2, -1))
        if self.multi_label:
            sums = RegionSums(matrix[..., 1, 1], ops.sum(matrix[..., 1], axis=-1), ops.sum(matrix[..., 1, :], axis=-1))
            of_each, all_elements = total, ops.sum(total, axis=-1)
            hits = ops.sum(matrix[..., 0, 0] + matrix[..., 1, 1], axis=-1)
        else:
            sums = region_sums_of(matrix)
            of_each, all_elements = ops.expand_dims(total, -1) + ops.zeros_like(sums.actual), total
            hits = ops.sum(sums.intersection, axis=-1)
        empty = all_elements == 0
        quantities = self._quantities(sums, of_each)
        averages = self._averages(quantities, sums, of_each)
        result = {}
        for name, values in quantities.items():
            if name in averages:
                result[self.key(name)] = ops.where(empty, math.nan, averages[name])
            if self.per_class:
                values = ops.where(ops.expand_dims(empty, -1), math.nan, values)
                result |= {self.key(name, label): values[..., c] for c, label in enumerate(self.labels_of_classes())}
        result[self.key("accuracy")] = safe.ratio(hits, all_elements, when_empty=math.nan)
        occurs = ops.cast(sums.predicted + sums.actual > 0, matrix.dtype)
        result[self.key("classes")] = ops.where(empty, math.nan, ops.sum(occurs, axis=-1))
        return result

    def _quantities(self, sums, of_each):
        """{quantity: (..., C)} of what is reported; NaN leaves a class out of the mean."""
        beta = 1.0 if self.beta is None else self.beta
        values = per_class(sums, of_each, math.nan if self.absent == "skip" else 0.0, beta)
        if self.absent == "skip_both":
            occurs = sums.predicted + sums.actual > 0
            values |= {name: ops.where(occurs, values[name], math.nan) for name in values if name != "support"}
        return {name: values[name] for name in dict.fromkeys([*self.report, *(["fbeta"] if self.beta is not None else [])])}

    def _averages(self, quantities, sums, of_each):
        """{quantity: (...)}, one number for all classes; empty for `average=None`."""
        if self.average == "micro":
            sums = RegionSums(*(ops.sum(s, axis=-1, keepdims=True) for s in sums))
            micro = self._quantities(sums, ops.sum(of_each, axis=-1, keepdims=True))
            return {name: values[..., 0] for name, values in micro.items()}
        if self.average == "macro":
            return {name: mean_over_classes(values) for name, values in quantities.items()}
        if self.average is None:
            return {}
        fill = math.nan if self.absent == "skip" else 0.0
        means = {name: mean_over_classes(values, sums.actual, fill) for name, values in quantities.items()}
        return means | ({"support": ops.sum(sums.actual, axis=-1)} if "support" in means else {})

    def labels_of_classes(self) -> list[str]:
        """The texts that stand for the classes in the keys."""
        return [str(c) for c in (self.class_names or range(self.num_classes))]

    def matrix(self, normalize: str | None = None) -> np.ndarray:
        """The counts as a float64 NumPy array (C, C), or (C, 2, 2) for `multi_label`.

        Args:
            normalize: None for counts; "true", "pred" or "all" for shares of a row, of a column or of everything.
        """
        return normalized(self.exact_matrix(), normalize)

    picture = moved_method("metrics.ConfusionMatrix.picture", "callbacks.metric_pictures.metric_html")
