"""What a term shows in the progress bar, the history and the report."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Loss
from kerasmith.multitask.balancer import Balancer

RESERVED = ("loss", "epoch", "learning_rate", "lr")


def check_name(name: Any) -> None:
    """Raises TypeError or ValueError if a column cannot have this name; None is for a name that is still to be found."""
    if not isinstance(name, (str, type(None))):
        raise TypeError(f"`name` must be a string. Received: name={name!r}")
    if name is not None and (not name or "/" in name or name.startswith("val_")):
        raise ValueError(
            "`name` must not be empty, have a '/', which separates the names of variables, or begin with 'val_', which Keras "
            f"writes in front of what validation finds. Received: name={name!r}"
        )


class _ScalarMean(keras.metrics.Mean):
    """A mean of scalars. Keras asks each value for its mask and shape, which takes longer than to add it."""

    def update_state(self, values: Tensor, sample_weight: Tensor | None = None) -> None:
        samples = ops.cast(1.0 if sample_weight is None else sample_weight, self.dtype)
        self.total.assign_add(ops.cast(values, self.dtype) * samples)
        self.count.assign_add(samples)


class _TermMean(_ScalarMean):
    """Mean of a term over the samples of an epoch."""

    direction: str = "min"


class _WeightMean(_ScalarMean):
    """Mean of a weight over the samples of an epoch; neither more nor less is better."""

    direction: str | None = None


class Column:
    """The value of a term, its weight where that is not constant, and the parts of a composite loss.

    Attributes:
        trackers: the metrics that Keras resets, shows and keeps as state of the step.
    """

    def __init__(self, term: Any, shows_weight: bool) -> None:
        self.value: Any = _TermMean(name=term.name)
        self.weight: Any = _WeightMean(name=f"{term.name}_weight") if shows_weight else None
        parts = ()
        if isinstance(term.loss, Loss) and term.loss.term_names:
            parts = term.loss.track_terms(prefix=f"{term.name}_")
        self.trackers: list[keras.metrics.Metric] = [self.value, *([self.weight] if shows_weight else []), *parts]

    def update(self, value: Tensor, weight: Tensor, samples: Tensor) -> None:
        """Adds one batch: scalars, and the number of its samples."""
        self.value.update_state(value, sample_weight=samples)
        if self.weight is not None:
            self.weight.update_state(ops.stop_gradient(weight), sample_weight=samples)


def columns_of(terms: Sequence[Any], balance: Balancer | None) -> list[Column]:
    """One `Column` for each term; raises ValueError if two columns would have one name."""
    balanced = balance is not None and balance.shows_weights
    columns = [Column(term, balanced or term.factor.has_column) for term in terms]
    names = [tracker.name for column in columns for tracker in column.trackers]
    refuse_clashes(names, RESERVED)
    return columns


def refuse_clashes(names: Sequence[str], others: Sequence[str]) -> None:
    """Raises ValueError if a name occurs twice, or among `others`."""
    for name in names:
        if names.count(name) > 1 or name in others:
            raise ValueError(
                f"The column {name!r} of the objective would overwrite another of that name (a metric, a second term, or one "
                "that Keras writes). Give the term, or the metric, another name."
            )


def quantity_columns(quantities: Sequence[Any], columns: Sequence[Column]) -> list[keras.metrics.Metric]:
    """One column for each `Quantity`; raises ValueError if one would have the name of another column."""
    taken = [tracker.name for column in columns for tracker in column.trackers]
    refuse_clashes([quantity.name for quantity in quantities], [*RESERVED, *taken])
    return [_WeightMean(name=quantity.name) for quantity in quantities]
