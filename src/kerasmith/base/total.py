"""A running total in a metric variable: exact, and summed over replicas."""

import keras
import numpy as np
from keras import ops

from kerasmith._types import Tensor
from kerasmith.distribution import metric_sum
from kerasmith.labels.label_domain import LabelDomain
from kerasmith.labels.label_watch import running_watch
from kerasmith.numerics import exact_sum


class Total:
    """Sum of everything added since the last reset.

    Args:
        metric: the metric that owns the variable.
        name: name of the variable.
        shape: shape of the total.
    """

    def __init__(self, metric: keras.metrics.Metric, name: str, shape: tuple[int, ...] = ()) -> None:
        # Float32 whatever the dtype of the metric: a half-precision counter stops at 2048.
        self.variable: keras.Variable = metric.add_variable(
            (3, *shape), initializer="zeros", dtype="float32", aggregation="sum", name=name
        )
        # What labels and weights had to be where a compiled program could only turn the total into NaN.
        self.domains: tuple[LabelDomain, ...] = ()

    def add(self, amount: Tensor) -> None:
        """Adds a tensor of the total's shape."""
        self._add(exact_sum.split(ops.convert_to_tensor(amount)))

    def add_samples(self, amounts: Tensor, weight: Tensor | None = None) -> None:
        """Adds the sum over samples of `weight * amounts`.

        Args:
            amounts: (B, *shape), integers or floats.
            weight: (B,) or a scalar, or None for 1. A weight of 0 leaves out even NaN.
        """
        if weight is not None:
            weight = ops.reshape(ops.cast(weight, "float32"), (-1,) + (1,) * (len(amounts.shape) - 1))
        self._add(exact_sum.split_sum(amounts, weight))

    def _add(self, amount):
        components = exact_sum.add(self.variable.value, amount)
        watch = running_watch()
        if watch is not None and watch.doubts:
            components, self.domains = watch.poison_all(components), watch.domains
        self.variable.assign(components)

    def value(self) -> Tensor:
        """The total as a float32 tensor."""
        return exact_sum.value(self._over_replicas())

    def exact(self) -> np.ndarray:
        """The total as a float64 NumPy array; only where values can be read."""
        return exact_sum.exact_value(self._over_replicas())

    def _over_replicas(self):
        return metric_sum(self.variable)
