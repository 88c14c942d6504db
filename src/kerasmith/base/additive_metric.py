"""Metrics whose result is a function of sums over samples."""

import math
from collections.abc import Mapping

from keras import ops, tree

from kerasmith._types import DType, Tensor
from kerasmith.base.label_message import warn_of_wrong_labels
from kerasmith.base.metric import Metric
from kerasmith.base.weights import Weights, split_sample_weight
from kerasmith.keras_internals.tensors import is_concrete, keras_mask
from kerasmith.labels.label_check import check_labels
from kerasmith.labels.label_domain import WEIGHTS
from kerasmith.labels.label_watch import running_watch
from kerasmith.labels.pixels import spatial_shape
from kerasmith.numerics.inputs import as_tensor
from kerasmith.numerics.tensors import static_shape


class AdditiveMetric(Metric):
    """Base of metrics that add statistics of each sample and combine the sums in the end.

    Adding is all they do with data, so they are exact under any batch split, under sample weights and on any number of
    replicas. A subclass implements `statistics` and `combine`; `update_state` and `result` are here. If the shapes of the
    statistics are known when the metric is made, it calls `create_totals` in its constructor, otherwise the first batch does.

    Args:
        name, dtype: see `Metric`.
    """

    # Read by `kerasmith.distribution.setup`.
    sums_over_replicas: bool = True
    _warned_of_nan = False

    def __init__(self, *, name: str | None = None, dtype: DType = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self._totals = {}

    def statistics(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> dict[str, Tensor]:
        """{name: (B, *shape)}: what each sample adds, integers or floats, before its own weight.

        Args:
            y_true, y_pred: tensors.
            weights: `Weights`; `pixel` and `valid_pixel` belong inside, the base applies those of whole samples.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `statistics`.")

    def combine(self, totals: dict[str, Tensor]) -> Tensor | dict[str, Tensor]:
        """The result, a scalar or a dict of scalars, NaN without data.

        Args:
            totals: {name: float32 (*shape)}; may have leading axes in common, which the result keeps (`Bootstrap` adds one).
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `combine`.")

    def element_shape(self, y_true: Tensor, y_pred: Tensor) -> tuple[int | None, ...]:
        """Static (batch, *spatial): what a weight can stand for. Spatial axes for metrics on pixels, else only the batch."""
        if hasattr(self, "axis"):
            return spatial_shape(y_pred, self.axis)
        return static_shape(y_pred, "y_pred")[:1]

    def target_shape(self, y_true: Tensor, y_pred: Tensor) -> tuple[int | None, ...] | None:
        """Static shape of weights that speak of single targets, of which an element has several; None if none may."""
        return None

    def create_totals(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Makes the state.

        Args:
            shapes: {name: shape of the total}.
        """
        self._totals = {name: self.add_total(name, shape) for name, shape in shapes.items()}

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        """Adds a batch."""
        self.add_statistics(*self.weighted_statistics(y_true, y_pred, sample_weight))

    def weighted_statistics(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[dict[str, Tensor], Tensor | None]:
        """The statistics of a batch and the weight of each sample, (B,) or None."""
        y_true, y_pred, weights = self.sorted_inputs(y_true, y_pred, sample_weight)
        return self.statistics(y_true, y_pred, weights), weights.effective_sample

    def sorted_inputs(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor) -> tuple[Tensor, Tensor, Weights]:
        """Labels and predictions as tensors, and their `Weights`."""
        mask = keras_mask(y_pred)
        y_true, y_pred = as_tensor(y_true, "y_true"), as_tensor(y_pred, "y_pred")
        shape, targets = self.element_shape(y_true, y_pred), self.target_shape(y_true, y_pred)
        weights = split_sample_weight(sample_weight, mask, shape, axis=getattr(self, "axis", -1), targets=targets)
        for weight in (weights.sample, weights.pixel, weights.target):
            if weight is not None:
                check_labels(weight, WEIGHTS)
        watch = running_watch()
        if watch is not None:
            watch.sample = weights.effective_sample
        return y_true, y_pred, weights

    def add_statistics(self, statistics: dict[str, Tensor], weight: Tensor) -> None:
        """Adds (B, *shape) statistics times (B,) weights to the totals."""
        if not self._totals:
            self.create_totals({name: tuple(x.shape[1:]) for name, x in statistics.items()})
        for name, total in self._totals.items():
            total.add_samples(statistics[name], weight)

    def result(self) -> Tensor | dict[str, Tensor]:
        """What `combine` makes of the totals; NaN, with a warning, where labels were none and no error could say so."""
        totals = {name: total.value() for name, total in self._totals.items()}
        result = self.combine(totals)
        domains = next((total.domains for total in self._totals.values() if total.domains), ())
        return self.cast_result(self._without_wrong_labels(result, totals, domains) if domains else result)

    def _without_wrong_labels(self, result, totals, domains):
        spoiled = ops.all(ops.stack([ops.all(ops.isnan(total)) for total in totals.values()]))
        if not self._warned_of_nan and is_concrete(spoiled) and bool(spoiled):
            self._warned_of_nan = True  # once, not after each batch
            warn_of_wrong_labels(self.name, domains)
        return tree.map_structure(lambda value: ops.where(spoiled, math.nan, ops.cast(value, "float32")), result)

    def cast_result(self, result: Tensor | dict[str, Tensor]) -> Tensor | dict[str, Tensor]:
        """A scalar or dict in the dtype of the metric."""
        if isinstance(result, dict):
            return {key: ops.cast(value, self.dtype) for key, value in result.items()}
        return ops.cast(result, self.dtype)
