"""Base of the metrics that read a confusion matrix."""

import math

import numpy as np
from keras import ops

from kerasmith.base.arguments import check_choice, check_integer, check_number
from kerasmith.base.shared_statistic import shared_statistic
from kerasmith.metrics.out_of_range import OutOfRange
from kerasmith.numerics.class_ids import class_ids, predictions_are_ids
from kerasmith.numerics.joint_counts import joint_counts
from kerasmith.numerics.pixels import spatial_shape
from kerasmith.numerics.tensors import static_shape

PREDICTIONS = ("auto", "scores", "ids")
_SMALL_TABLE = 4096
_READING = ("from_logits", "axis", "labels", "ignore_class", "multi_label")


def count_classes(metric, y_true, y_pred, weights, classes, *, per_sample=True):
    """(joint counts, whether labels were dense) of a batch, read as `metric` is configured; see `joint_counts`.

    Metrics that declare the same `share` count a batch once.
    """
    settings = {name: getattr(metric, name) for name in (*_READING, "threshold", "predictions")}
    settings |= {"num_classes": classes, "per_sample": per_sample}

    def compute():
        reading = {name: settings[name] for name in _READING}
        ids = class_ids(
            y_true,
            y_pred,
            classes,
            predictions=metric.predictions,
            threshold=metric.threshold,
            weights=weights,
            **reading,
        )
        weight = ids.weight if weights.pixel is not None else None
        sample = None if per_sample else weights.of_samples
        if sample is not None:
            sample = ops.reshape(ops.cast(sample, "float32"), (-1, 1))
            weight = sample * (ops.ones(ops.shape(ids.truth), "float32") if weight is None else weight)
        table = joint_counts(ids.truth, ids.prediction, ids.classes, valid=ids.valid, weight=weight, per_sample=per_sample)
        return table, ids.dense

    return shared_statistic(metric.share, metric, settings, (y_true, y_pred, *weights.given), compute)


class ClassCounts(OutOfRange):
    """Base of metrics whose state is a confusion matrix. A subclass implements `combine_matrix`.

    Args:
        num_classes: C; 2 for binary masks and probabilities.
        threshold: probability above which a binary element is 1. Several channels: the largest score wins.
        from_logits, axis, labels, ignore_class: as in the losses; `ignore_class` may be a list.
        predictions: "scores": y_pred is (B, *spatial, C), or (B, *spatial, 1) for two classes; "ids": class ids
            (B, *spatial); "auto": ids if y_pred holds integers in the shape of the labels.
        multi_label: the channels are independent binary masks, with a 2 x 2 matrix each.
        share: a key. Metrics of one model that declare the same key count each batch once; they must agree in all
            other settings of this list.
        name, dtype: see `kerasmith.base.Metric`.
    """

    multi_label = False

    def __init__(
        self,
        num_classes,
        threshold=0.5,
        *,
        from_logits=False,
        axis=-1,
        labels="auto",
        ignore_class=None,
        predictions="auto",
        share=None,
        name=None,
        dtype=None,
    ):
        check_integer("num_classes", num_classes, minimum=2 - self.multi_label)
        check_number("threshold", threshold, minimum=0, maximum=1)
        check_choice("axis", axis, (-1, 1))
        check_choice("labels", labels, ("auto", "one_hot", "sparse"))
        check_choice("predictions", predictions, PREDICTIONS)
        super().__init__(name=name, dtype=dtype)
        self.num_classes = num_classes
        self.threshold = threshold
        self.from_logits = from_logits
        self.axis = axis
        self.labels = labels
        self.ignore_class = ignore_class
        self.predictions = predictions
        self.share = share
        size = num_classes + 1
        self.create_totals({"table": (num_classes, 3, 3) if self.multi_label else (size, size)})

    def element_shape(self, y_true, y_pred):
        if predictions_are_ids(y_true, y_pred, self.predictions, self.num_classes):
            shape = static_shape(y_pred, "y_pred")
            return shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape
        return spatial_shape(y_pred, self.axis)

    def statistics(self, y_true, y_pred, weights):
        table, _ = count_classes(self, y_true, y_pred, weights, self.num_classes)
        return {"table": ops.reshape(table, (-1, self.num_classes, 3, 3)) if self.multi_label else table}

    def combine(self, totals):
        return self.combine_matrix(totals["table"][..., :-1, :-1])

    def combine_matrix(self, matrix):
        """The result, from float32 counts (..., C, C), or (..., C, 2, 2) for `multi_label`."""
        raise NotImplementedError(f"{type(self).__name__} must implement `combine_matrix`.")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch: y_true and y_pred as of the losses, or ids; `sample_weight` (B,) or (B, *spatial[, 1])."""
        y_true, y_pred, weights = self.sorted_inputs(y_true, y_pred, sample_weight)
        if self.multi_label or self._needs_table_of_each(y_true, weights):
            self.add_statistics(self.statistics(y_true, y_pred, weights), weights.of_samples)
        else:
            table, _ = count_classes(self, y_true, y_pred, weights, self.num_classes, per_sample=False)
            self.add_statistics({"table": table[None]}, None)

    def _needs_table_of_each(self, y_true, weights):
        """Whether to count each sample by itself: for weights to be applied to whole counts, and for metrics that share.

        Not where the table of a sample would be larger than the sample.
        """
        if self.share is None and weights.of_samples is None:
            return False
        sizes = static_shape(y_true, "y_true")[1:]
        elements = math.inf if None in sizes else math.prod(sizes)
        return (self.num_classes + 1) ** 2 <= max(_SMALL_TABLE, 4 * elements)

    def exact_matrix(self):
        """The counts so far as a float64 NumPy array, exact up to 2^40."""
        return self._totals["table"].exact()[..., :-1, :-1]

    def out_of_range(self):
        """How many elements had a true or predicted id that is no class, or labels of none; they are in no count."""
        return float(self._totals["table"].exact().sum() - self.exact_matrix().sum())


def normalized(matrix, normalize):
    """Counts divided by those of their row ("true"), column ("pred"), of all ("all"), or as they are (None); 0 / 0 is NaN."""
    check_choice("normalize", normalize, (None, "true", "pred", "all"))
    if normalize is None:
        return matrix
    axes = {"true": -1, "pred": -2, "all": (-2, -1)}[normalize]
    total = matrix.sum(axis=axes, keepdims=True)
    return np.divide(matrix, total, out=np.full(matrix.shape, np.nan), where=total > 0)
