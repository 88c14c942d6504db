"""Confidence intervals of a metric by the bootstrap over images."""

import math

import keras
import numpy as np
from keras import ops

from kerasmith._types import DType, Tensor
from kerasmith.base import AdditiveMetric, Metric, register
from kerasmith.base.arguments import check_integer, check_number
from kerasmith.distribution import metric_sum, replica_count
from kerasmith.files.messages import warn
from kerasmith.keras_internals.tensors import is_concrete
from kerasmith.numerics.resampling import percentile_interval, resampled_sums


@register
class Bootstrap(Metric):
    """A metric with confidence intervals: the percentiles of its results on `n` resamples of the images.

    What the metric adds per image is stored, not the images and not `n` copies of the metric. A resample draws as many images
    as were seen, with replacement; the metric combines their statistics. Images are the unit that is drawn: give each
    patient one sample, or the intervals are too narrow.

    Intervals are computed where values can be read: by `result()` in eager code and for the logs at the end of an epoch and
    of `evaluate`. Inside compiled steps (the running progress bar of TensorFlow and JAX) `low` and `high` are NaN, not yet
    known. PyTorch computes them at each step, which takes some 10 ms for 1000 images.

    Args:
        metric: an `AdditiveMetric`: one whose result is a function of sums over samples.
        n: number of resamples.
        confidence: share of the resampled results inside the interval.
        seed: of the draws. The same images, in any order, give the same interval.
        capacity: images that can be stored, times the size of the metric's statistics. Beyond it the estimate stays exact, but
            there is a warning and no interval.
        name, dtype: see `kerasmith.base.Metric`. Keys are those of `metric`, whatever the name.

    Call arguments:
        y_true, y_pred, sample_weight: as of `metric`. Weights of samples multiply the statistics of an image, which is
            still drawn as one; images of weight 0 are never drawn.

    Returns:
        A dict: for each result of `metric` its value (exactly that of `metric` alone) and `<key>_low`, `<key>_high`. Resamples
        for which the result is NaN are left out of the percentiles.

    Raises:
        TypeError: if `metric` is not additive.

    Example:

    >>> import numpy as np
    >>> from kerasmith.metrics import DiceScore
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.integers(0, 2, (20, 8, 8, 1)).astype("float32")
    >>> metric = Bootstrap(DiceScore(), n=200)
    >>> metric.update_state(truth, np.clip(truth + rng.normal(0, 0.5, truth.shape), 0, 1).astype("float32"))
    >>> low, value, high = (float(metric.result()[key]) for key in ("dice_score_low", "dice_score", "dice_score_high"))
    >>> bool(0 < low < value < high < 1)
    True

    Reference: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """

    kerasmith_contract: dict[str, bool] = {"weights_repeat": False}

    def __init__(
        self,
        metric: AdditiveMetric,
        n: int = 1000,
        confidence: float = 0.95,
        seed: int = 0,
        capacity: int = 10_000,
        *,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        if not isinstance(metric, AdditiveMetric) or type(metric).statistics is AdditiveMetric.statistics:
            raise TypeError(
                "`metric` must be an AdditiveMetric, whose result is a function of sums over samples. For the metrics of a "
                "`Shared`, write a Bootstrap of each: `[Bootstrap(IoU(5)), Bootstrap(MCC(5))]`. "
                f"Received: metric={metric!r} of type {type(metric).__name__}"
            )
        check_integer("n", n, minimum=1)
        check_number("confidence", confidence, above=0, below=1)
        check_integer("seed", seed, minimum=0)
        check_integer("capacity", capacity, minimum=1)
        super().__init__(name=name or f"{metric.name}_bootstrap", dtype=dtype or metric.dtype)
        self.metric = metric
        self.n = n
        self.confidence = confidence
        self.seed = seed
        self.capacity = capacity
        self.direction = metric.direction
        if hasattr(metric, "directions"):
            self.directions = metric.directions
        self._rows = None
        self._cache = (None, None)
        self._warned = False
        self._create_rows()

    @property
    def works_on_host(self) -> bool:
        """As its metric."""
        return self.metric.works_on_host

    def _create_rows(self):
        """The state, as soon as the metric knows the shapes of its statistics."""
        self._shapes = {name: tuple(total.variable.shape[1:]) for name, total in self.metric._totals.items()}
        if self._shapes and self._rows is None:
            width = sum(math.prod(shape) for shape in self._shapes.values())
            # The first column is the weight, 0 where nothing is stored; the last row takes what finds no room.
            self._rows = self.add_variable((self.capacity + 1, 1 + width), "zeros", dtype="float32", name="rows")
            self._seen = self.add_variable((), "zeros", dtype="int32", name="seen")
            self._dropped = self.add_variable((), "zeros", dtype="int32", name="dropped")

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> None:
        """Adds a batch to the metric, and its statistics to the store."""
        statistics, weight = self.metric.weighted_statistics(y_true, y_pred, sample_weight)
        self.metric.add_statistics(statistics, weight)
        self._create_rows()
        columns = [ops.reshape(ops.cast(statistics[name], "float32"), (-1, math.prod(s))) for name, s in self._shapes.items()]
        batch = ops.shape(columns[0])[0]
        weight = ops.ones((batch,)) if weight is None else ops.broadcast_to(ops.cast(weight, "float32"), (batch,))
        rows = ops.concatenate([ops.expand_dims(weight, 1), *columns], axis=1)
        # Replicas take turns, so that the sum of their stores is the union.
        places = (self._seen.value + ops.arange(batch, dtype="int32")) * replica_count() + _replica_index()
        beyond = places >= self.capacity
        places = ops.where(beyond, self.capacity, places)
        self._rows.assign(ops.scatter_update(self._rows.value, ops.expand_dims(places, 1), rows))
        self._seen.assign(self._seen.value + batch)
        self._dropped.assign(self._dropped.value + ops.sum(ops.cast(beyond, "int32")))

    def result(self) -> dict[str, Tensor]:
        """A dict of the results of the metric and their intervals."""
        estimate = self.metric.result()
        if not isinstance(estimate, dict):
            estimate = {self.metric.name: estimate}
        intervals = self._intervals()
        result = {}
        for key, value in estimate.items():
            low, high = intervals.get(key, (math.nan, math.nan))
            if self._has_wrong_labels():
                low, high = (ops.where(ops.isnan(value), math.nan, bound) for bound in (low, high))
            result |= {key: value, f"{key}_low": low, f"{key}_high": high}
        return self.metric.cast_result(result)

    def _has_wrong_labels(self):
        return any(total.domains for total in self.metric._totals.values())

    def _intervals(self):
        """{key: (low, high)}; empty where values cannot be read."""
        if self._rows is None:
            return {}
        rows, seen, dropped = (_over_replicas(variable) for variable in (self._rows, self._seen, self._dropped))
        if not is_concrete(rows):
            return {}
        seen, dropped = int(seen), int(dropped)
        if dropped:
            self._warn(seen)
            return {}
        rows = ops.convert_to_numpy(rows)[: self.capacity]
        rows = rows[rows[:, 0] != 0]
        rows = rows[np.lexsort(rows.T)]  # the draws must not depend on the order of the images
        fingerprint = (len(rows), hash(rows.tobytes()))
        if self._cache[0] != fingerprint:
            self._cache = (fingerprint, self._resample(rows[:, 1:].astype("float64") * rows[:, :1]))
        return self._cache[1]

    def _resample(self, rows):
        sums = resampled_sums(rows, self.n, self.seed).astype("float32")
        totals, start = {}, 0
        for name, shape in self._shapes.items():
            stop = start + math.prod(shape)
            totals[name] = ops.convert_to_tensor(sums[:, start:stop].reshape(self.n, *shape))
            start = stop
        replicates = self.metric.combine(totals)
        if not isinstance(replicates, dict):
            replicates = {self.metric.name: replicates}
        values = {key: np.asarray(ops.convert_to_numpy(value), "float64") for key, value in replicates.items()}
        return {key: percentile_interval(value, self.confidence) for key, value in values.items()}

    def _warn(self, seen):
        if not self._warned:
            self._warned = True
            warn(
                f"Bootstrap(capacity={self.capacity}) has seen {seen} images, so there is no confidence interval. "
                f"Write `capacity={seen}` or more; with replicas, their number times the images of the fullest.",
                stacklevel=3,
            )


def _replica_index():
    """The number of this replica, from 0."""
    if replica_count() == 1:
        return 0
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.distribute.get_replica_context().replica_id_in_sync_group
    import torch.distributed as dist

    return dist.get_rank()


def _over_replicas(variable):
    """The sum of a variable over the replicas, as a tensor of its own."""
    return metric_sum(variable) + 0  # TensorFlow may have handed out the variable itself
