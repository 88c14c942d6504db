"""The base of every metric: exact totals, a known direction, prefixed result keys."""

import keras

from kerasmith._types import DType
from kerasmith.base.configured import Configured, snake_case
from kerasmith.base.total import Total
from kerasmith.keras_internals.metric_direction import SaysDirection


class Metric(Configured, SaysDirection, keras.metrics.Metric):
    """Base class of metrics whose state is a set of exact totals; see the README of this package.

    A subclass creates `Total`s with `add_total`, adds to them in `update_state` and combines them in `result`. A result is a
    scalar, or a dict of scalars whose keys `key` makes.

    Args:
        name: name of the metric and prefix of its keys.
        dtype: dtype of the result. Totals are exact whatever it is.

    Attributes:
        direction: "max" if more is better, "min" if less is.
        directions: {quantity: "max", "min" or None} of the keys of a dict for which `direction` is wrong.
    """

    direction: str = "max"
    directions: dict[str, str | None] = {}

    def __init__(self, *, name: str | None = None, dtype: DType = None) -> None:
        super().__init__(name=name or snake_case(type(self).__name__), dtype=dtype)

    def add_total(self, name: str, shape: tuple[int, ...] = ()) -> Total:
        """A running total that `reset_state` sets to 0."""
        return Total(self, name, shape)

    def key(self, *parts: object) -> str:
        """`<name>_<part>_...`: a result key that no other metric writes."""
        return "_".join(map(str, (self.name, *parts)))
