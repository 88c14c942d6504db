"""Base of the metrics that read a confusion matrix."""

import math
from typing import Any

import numpy as np
from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Weights
from kerasmith.base.arguments import check_choice, check_integer
from kerasmith.metrics.decided_classes import BatchCounts, DecidedClasses
from kerasmith.numerics.tensors import static_shape

_SMALL_TABLE = 4096


class ClassCounts(DecidedClasses):
    """Base of metrics whose state is a confusion matrix. A subclass implements `combine_matrix`.

    Args:
        num_classes: C; 2 for binary masks and probabilities.
        top_k: of competing classes, the decision is the true class if it is among the k largest scores, else the largest
            (torchmetrics); of independent ones, `multi_label`, the k largest are 1 (Keras' `Precision(top_k=k)`). Equal scores
            count in the order of their classes (since 0.2).
        threshold, predictions, share: see `metrics.decided_classes.DecidedClasses`.
        from_logits, axis, labels, ignore_class, name, dtype: see `metrics.pixel_metric.PixelMetric`.
        multi_label: the channels are independent binary masks, with a 2 x 2 matrix each; `ConfusionMatrix` only.
    """

    takes_multi_label = False

    def __init__(self, num_classes: int, threshold: float = 0.5, *, top_k: int | None = None, **kwargs: Any) -> None:
        super().__init__(num_classes, threshold, **kwargs)
        if self.multi_label and not self.takes_multi_label:
            raise ValueError(
                f"{type(self).__name__} reads one confusion matrix, and multi_label=True gives one for each class. "
                "Use `ConfusionMatrix(multi_label=True)`."
            )
        check_integer("num_classes", num_classes, minimum=2 - self.multi_label)
        self._check_top_k(top_k)
        self.top_k = top_k
        size = num_classes + 1
        self.create_totals({"table": (num_classes, 3, 3) if self.multi_label else (size, size)})

    def _check_top_k(self, top_k):
        if top_k is None:
            return
        check_integer("top_k", top_k, minimum=1)
        if top_k > self.num_classes:
            raise ValueError(f"`top_k` must be at most {self.num_classes}, the number of classes. Received: top_k={top_k}")
        if self.predictions == "ids" or self.threshold != 0.5:
            raise ValueError(
                "`top_k` decides by the order of scores, without a threshold. Received: "
                f"top_k={top_k}, predictions={self.predictions!r}, threshold={self.threshold}. Leave the others out."
            )

    def statistics(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> dict[str, Tensor]:
        return self._statistics_of(self.count(y_true, y_pred, weights, per_sample=True))

    def _statistics_of(self, counts):
        table = counts.table if counts.per_sample else counts.table[None]
        return {"table": ops.reshape(table, (-1, self.num_classes, 3, 3)) if self.multi_label else table}

    def combine(self, totals: dict[str, Tensor]) -> Tensor | dict[str, Tensor]:
        return self.combine_matrix(totals["table"][..., :-1, :-1])

    def combine_matrix(self, matrix: Tensor) -> Tensor | dict[str, Tensor]:
        """The result, from float32 counts (..., C, C), or (..., C, 2, 2) for `multi_label`."""
        raise NotImplementedError(f"{type(self).__name__} must implement `combine_matrix`.")

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> None:
        """Adds a batch: y_true and y_pred as of the losses, or ids; `sample_weight` (B,) or (B, *spatial[, 1])."""
        y_true, y_pred, weights = self.sorted_inputs(y_true, y_pred, sample_weight)
        self.add_counts(self.count(y_true, y_pred, weights, self.keeps_samples_apart(y_true, weights)), weights)

    def add_counts(self, counts: BatchCounts, weights: Weights) -> None:
        """See `DecidedClasses.add_counts`."""
        self.add_statistics(self._statistics_of(counts), weights.effective_sample if counts.per_sample else None)

    def keeps_samples_apart(self, y_true: Tensor, weights: Weights) -> bool:
        """Whether to count each sample by itself, so that weights are applied to whole counts.

        Not where the table of a sample would be larger than the sample.
        """
        if self.multi_label:
            return True
        if weights.effective_sample is None:
            return False
        sizes = static_shape(y_true, "y_true")[1:]
        elements = math.inf if None in sizes else math.prod(sizes)
        return (self.num_classes + 1) ** 2 <= max(_SMALL_TABLE, 4 * elements)

    def exact_matrix(self) -> np.ndarray:
        """The counts so far as a float64 NumPy array, exact up to 2^40."""
        return self._totals["table"].exact()[..., :-1, :-1]

    def out_of_range(self) -> float:
        """How many elements had a true or predicted id that is no class, or labels of none; they are in no count."""
        return float(self._totals["table"].exact().sum() - self.exact_matrix().sum())


def normalized(matrix: np.ndarray, normalize: str | None) -> np.ndarray:
    """Counts divided by those of their row ("true"), column ("pred"), of all ("all"), or as they are (None); 0 / 0 is NaN."""
    check_choice("normalize", normalize, (None, "true", "pred", "all"))
    if normalize is None:
        return matrix
    axes = {"true": -1, "pred": -2, "all": (-2, -1)}[normalize]
    total = matrix.sum(axis=axes, keepdims=True)
    return np.divide(matrix, total, out=np.full(matrix.shape, np.nan), where=total > 0)
