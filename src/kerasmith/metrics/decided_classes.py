"""Base of the metrics on decided classes: class ids or scores in, joint counts out, ids out of range reported."""

import warnings

from keras import ops

from kerasmith.base.arguments import check_choice, check_number
from kerasmith.base.shared_statistic import shared_statistic
from kerasmith.keras_internals.tensors import is_concrete
from kerasmith.labels.class_ids import class_ids, predictions_are_ids
from kerasmith.labels.joint_counts import joint_counts
from kerasmith.metrics.pixel_metric import PixelMetric
from kerasmith.numerics.tensors import static_shape


class DecidedClasses(PixelMetric):
    """Base of metrics that decide for a class at each element. A subclass implements `out_of_range`.

    Args:
        num_classes: C, or None to read it from the first batch.
        threshold: probability above which a binary element is 1. Several channels: the largest score wins.
        predictions: "scores": y_pred is (B, *spatial, C), or (B, *spatial, 1) for two classes; "ids": class ids
            (B, *spatial); "auto": ids if y_pred holds integers in the shape of the labels.
        share: a key. Metrics of one model that declare the same key count each batch once; they must agree in how they read
            it. See the README of this room.
        from_logits, axis, labels, ignore_class, multi_label, name, dtype: see `metrics.pixel_metric.PixelMetric`.
    """

    _said = False

    def __init__(self, num_classes, threshold=0.5, *, predictions="auto", share=None, **kwargs):
        check_number("threshold", threshold, minimum=0, maximum=1)
        check_choice("predictions", predictions, ("auto", "scores", "ids"))
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.threshold = threshold
        self.predictions = predictions
        self.share = share

    def element_shape(self, y_true, y_pred):
        if not self.gets_ids(y_true, y_pred):
            return super().element_shape(y_true, y_pred)
        shape = static_shape(y_pred, "y_pred")
        return shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape

    def gets_ids(self, y_true, y_pred):
        """Whether y_pred holds class ids."""
        return predictions_are_ids(y_true, y_pred, self.predictions, self.num_classes)

    def count(self, y_true, y_pred, weights, classes, *, per_sample=True):
        """(joint counts, whether labels were dense) of a batch; see `joint_counts`.

        Metrics that declare the same `share` count a batch once.
        """
        reading = {"predictions": self.predictions, "threshold": self.threshold, **self.reading}

        def compute():
            ids = class_ids(y_true, y_pred, classes, weights=weights, **reading)
            weight = ids.weight if weights.pixel is not None else None
            sample = None if per_sample else weights.effective_sample
            if sample is not None:
                sample = ops.reshape(ops.cast(sample, "float32"), (-1, 1))
                weight = sample * (ops.ones(ops.shape(ids.truth), "float32") if weight is None else weight)
            table = joint_counts(ids.truth, ids.prediction, ids.classes, valid=ids.valid, weight=weight, per_sample=per_sample)
            return table, ids.dense

        settings = {"num_classes": classes, "per_sample": per_sample, **reading}
        return shared_statistic(self.share, self, settings, (y_true, y_pred, *weights.given), compute)

    def out_of_range(self):
        """How many elements had a true or predicted id that is no class; they are in no count."""
        raise NotImplementedError(f"{type(self).__name__} must implement `out_of_range`.")

    def result(self):
        """What `combine` makes of the totals; warns if ids were out of range."""
        readable = self.variables and not self._said and is_concrete(self.variables[0].value)
        if readable and self.out_of_range() > 0:
            self._said = True  # once, not after each batch
            warnings.warn(
                f"{self.out_of_range():g} elements had a class id out of range and were left out by '{self.name}'. "
                "Raise `num_classes`, or name the id in `ignore_class` if it means 'do not count'.",
                stacklevel=2,
            )
        return super().result()
