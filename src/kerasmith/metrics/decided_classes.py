"""Base of the metrics on decided classes: class ids or scores in, joint counts out, ids out of range reported."""

from typing import Any, NamedTuple

from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Weights
from kerasmith.base.arguments import check_choice, check_number
from kerasmith.files.messages import warn
from kerasmith.keras_internals.tensors import is_concrete
from kerasmith.labels.class_ids import class_ids, predictions_are_ids
from kerasmith.labels.joint_counts import joint_counts
from kerasmith.metrics.pixel_metric import PixelMetric
from kerasmith.numerics.tensors import static_shape


class BatchCounts(NamedTuple):
    """The joint counts of a batch.

    Attributes:
        table: see `labels.joint_counts`; with a first axis for samples where they are kept apart.
        dense: whether labels came one-hot, see `labels.class_ids.ClassIds`.
        per_sample: whether samples are kept apart. If not, their weights are in the counts already.
    """

    table: Any
    dense: bool
    per_sample: bool


class DecidedClasses(PixelMetric):
    """Base of metrics that decide for a class at each element. A subclass implements `out_of_range`,
    `keeps_samples_apart` and `add_counts`.

    Args:
        num_classes: C, or None to read it from the first batch.
        threshold: probability above which a binary element is 1. Several channels: the largest score wins.
        predictions: "scores": y_pred is (B, *spatial, C), or (B, *spatial, 1) for two classes; "ids": class ids
            (B, *spatial); "auto": ids if y_pred holds integers in the shape of the labels.
        share: deprecated, `metrics.Shared` counts a batch once for several metrics. With a key, a metric still counts where it
            would have summed soft labels.
        from_logits, axis, labels, ignore_class, multi_label, name, dtype: see `metrics.pixel_metric.PixelMetric`.
    """

    counted_statistic = "the joint counts of true and decided classes"
    top_k: int | None = None  # see `labels.class_ids.class_ids`; a subclass may take it as an argument
    _has_warned = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("share") is not None:
            warn(
                f"`share` is deprecated, goes with version 0.2 and saves no counting any more. Received: "
                f"share={kwargs['share']!r}. Write `metrics.Shared([{cls.__name__}(...), ...])`.",
                DeprecationWarning,
                stacklevel=2,
            )
        return super().__new__(cls, *args, **kwargs)

    def __init__(
        self,
        num_classes: int | None,
        threshold: float = 0.5,
        *,
        predictions: str = "auto",
        share: str | None = None,
        **kwargs: Any,
    ) -> None:
        check_number("threshold", threshold, minimum=0, maximum=1)
        check_choice("predictions", predictions, ("auto", "scores", "ids"))
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.threshold = threshold
        self.predictions = predictions
        self.share = share

    def element_shape(self, y_true: Tensor, y_pred: Tensor) -> tuple[int | None, ...]:
        if not self.gets_ids(y_true, y_pred):
            return super().element_shape(y_true, y_pred)
        shape = static_shape(y_pred, "y_pred")
        return shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape

    def gets_ids(self, y_true: Tensor, y_pred: Tensor) -> bool:
        """Whether y_pred holds class ids."""
        return predictions_are_ids(y_true, y_pred, self.predictions, self.num_classes)

    @property
    def counted_classes(self) -> int | None:
        """How many classes are told apart in the counts."""
        return self.num_classes

    @property
    def count_settings(self) -> dict[str, Any]:
        """{argument: value} of all that the counts depend on; metrics for which it is equal can be members of one `Shared`."""
        return {
            "num_classes": self.counted_classes,
            "predictions": self.predictions,
            "threshold": self.threshold,
            "top_k": self.top_k,
            **self.reading,
        }

    def keeps_samples_apart(self, y_true: Tensor, weights: Weights) -> bool:
        """Whether this metric needs the counts of each sample by themselves."""
        raise NotImplementedError(f"{type(self).__name__} must implement `keeps_samples_apart`.")

    def count(self, y_true: Tensor, y_pred: Tensor, weights: Weights, per_sample: bool) -> BatchCounts:
        """The `BatchCounts` of tensors and their `Weights`."""
        classes = self.counted_classes
        settings = {name: value for name, value in self.count_settings.items() if name != "num_classes"}
        ids = class_ids(y_true, y_pred, classes, weights=weights, **settings)
        weight = None if weights.pixel is None and weights.target is None else ids.weight
        sample = None if per_sample else weights.effective_sample
        if sample is not None:
            sample = ops.reshape(ops.cast(sample, "float32"), (-1, 1))
            weight = sample * (ops.ones(ops.shape(ids.truth), "float32") if weight is None else weight)
        table = joint_counts(ids.truth, ids.prediction, ids.classes, valid=ids.valid, weight=weight, per_sample=per_sample)
        return BatchCounts(table, ids.dense, per_sample)

    def add_counts(self, counts: BatchCounts, weights: Weights) -> None:
        """Adds `BatchCounts` and the `Weights` of its samples."""
        raise NotImplementedError(f"{type(self).__name__} must implement `add_counts`.")

    def out_of_range(self) -> float:
        """How many elements had a true or predicted id that is no class; they are in no count."""
        raise NotImplementedError(f"{type(self).__name__} must implement `out_of_range`.")

    def result(self) -> Tensor | dict[str, Tensor]:
        """What `combine` makes of the totals; warns if ids were out of range."""
        readable = self.variables and not self._has_warned and is_concrete(self.variables[0].value)
        if readable and self.out_of_range() > 0:
            self._has_warned = True  # once, not after each batch
            warn(
                f"{self.out_of_range():g} elements had a class id out of range and were left out by '{self.name}'. "
                "Raise `num_classes`, or name the id in `ignore_class` if it means 'do not count'.",
                stacklevel=2,
            )
        return super().result()
