"""The base of every metric: exact totals, a known direction, prefixed result keys."""

import contextlib
import functools
from typing import Any

import keras

from kerasmith._types import DType
from kerasmith.base.configured import Configured, snake_case
from kerasmith.base.deferred_update import DeferredUpdate
from kerasmith.base.loss_node import has_placeholders
from kerasmith.base.total import Total
from kerasmith.keras_internals.metric_direction import SaysDirection
from kerasmith.keras_internals.shape_inference import clean_retry
from kerasmith.labels.label_watch import running_watch, watch_labels


class Metric(Configured, SaysDirection, DeferredUpdate, keras.metrics.Metric):
    """Base class of metrics whose state is a set of exact totals; see the README of this package.

    A subclass creates `Total`s with `add_total`, adds to them in `update_state` and combines them in `result`. A result is a
    scalar, or a dict of scalars whose keys `key` makes.

    Args:
        name: name of the metric and prefix of its keys.
        dtype: dtype of the result. Totals are exact whatever it is.

    Attributes:
        direction: "max" if more is better, "min" if less is.
        directions: {quantity: "max", "min" or None} of the keys of a dict for which `direction` is wrong.
        works_on_host: whether `update_state` calls the host, see `base.host`. Under TensorFlow's XLA such a metric takes up
            each batch after its step: within an epoch its columns are NaN, not yet known, at the end they are right
            (since 0.2).
    """

    direction: str = "max"
    directions: dict[str, str | None] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "update_state" in vars(cls):
            cls.update_state = _of_values(cls.update_state)
        if "result" in vars(cls):
            cls.result = _of_all_batches(cls.result)

    def __init__(self, *, name: str | None = None, dtype: DType = None) -> None:
        super().__init__(name=name or snake_case(type(self).__name__), dtype=dtype)

    def add_total(self, name: str, shape: tuple[int, ...] = ()) -> Total:
        """A running total that `reset_state` sets to 0."""
        return Total(self, name, shape)

    def key(self, *parts: object) -> str:
        """`<name>_<part>_...`: a result key that no other metric writes."""
        return "_".join(map(str, (self.name, *parts)))


def _of_values(update_state):
    @functools.wraps(update_state)
    def checked(self, *args, **kwargs):
        if has_placeholders(args, kwargs):
            raise ValueError(
                "A metric counts values, and a KerasTensor has none. Write "
                f"`model.compile(metrics=[{type(self).__name__}(...)])`, or update the metric in a `train_step` or with what "
                "`model(x)` gives for an array."
            )
        if self.is_deferred():
            return self.defer(update_state, *args, **kwargs)
        watch = running_watch()
        of_subclass = watch is not None and watch.owner is self
        # The totals ask the watch; one is enough for an `update_state` that calls that of its parent.
        with clean_retry(), contextlib.nullcontext() if of_subclass else watch_labels(owner=self):
            return update_state(self, *args, **kwargs)

    return checked


def _of_all_batches(result):
    @functools.wraps(result)
    def complete(self):
        if self.is_deferred():
            return self.unknown(result)
        self.catch_up()
        return result(self)

    return complete
