"""Metrics over all processes: sums are added where a result is read, all others see the batches of all processes."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import torch
from keras import tree

from kerasmith.distribution._alone import alone
from kerasmith.distribution._replica_error import SetupError
from kerasmith.distribution._running import RUNNING
from kerasmith.distribution._share_of_batch import share_of_batch
from kerasmith.distribution.engines.torch_collectives import Collectives
from kerasmith.keras_internals.global_batch import is_kerass_sum, override, single_metrics
from kerasmith.keras_internals.summed_metrics import summed_here


def adds_up(metric: keras.metrics.Metric) -> bool:
    """Whether the state of a metric is a sum over samples, so that states of several processes may be added.

    A class says so by its attribute `sums_over_replicas`; of Keras' own classes it is known. What nobody knows is not added.
    """
    declared = getattr(metric, "sums_over_replicas", None)
    return is_kerass_sum(metric) if declared is None else bool(declared)


def gather_updates(model: keras.Model, collectives: Collectives) -> None:
    """Lets the metrics of a model that do not add up see the samples of all processes in each update."""
    for metric in single_metrics(model):
        if not adds_up(metric) and "update_state" not in vars(metric):
            override(metric, "update_state", _gathering(metric, metric.update_state, collectives))


def _gathering(metric, own, collectives):
    def update_state(*args: Any, **kwargs: Any) -> Any:
        if share_of_batch() is None:
            return own(*args, **kwargs)
        leaves = tree.flatten((args, kwargs))
        rows = [_of_all(leaf, collectives) for leaf in leaves]
        with alone():
            # A number of a batch, such as a loss, comes from each process in turn.
            for turn in range(max(len(row) for row in rows) if rows else 1):
                parts = [row[min(turn, len(row) - 1)] for row in rows]
                given, named = tree.pack_sequence_as((args, kwargs), parts)
                result = own(*given, **named)
        return result

    return update_state


def _of_all(leaf, collectives):
    if not torch.is_tensor(leaf):
        return [leaf]
    if leaf.ndim == 0:
        return list(torch.cat(collectives.gather_rows(leaf.detach().reshape(1))))
    return [torch.cat(collectives.gather_rows(leaf.detach()))]


@contextlib.contextmanager
def merged(model: keras.Model, collectives: Collectives) -> Iterator[None]:
    """A context in which the variables of metrics that add up are sums over all processes; one exchange."""
    variables = summed_variables(model)
    values = [variable.value.detach() for variable in variables]
    # Whole numbers and sums of float32 are exact in float64.
    flat = torch.cat([value.reshape(-1).to(torch.float64) for value in values])
    collectives.sum_([flat])
    parts = torch.split(flat, [value.numel() for value in values])
    sums = [part.view(value.shape).to(value.dtype) for part, value in zip(parts, values, strict=True)]
    others = [variable for metric in single_metrics(model) if not adds_up(metric) for variable in metric.variables]
    RUNNING.merged = {
        **{id(variable): variable.value for variable in others},
        **{id(variable): value for variable, value in zip(variables, sums, strict=True)},
    }
    with summed_here(list(zip(variables, sums, strict=True))):
        yield


def summed_variables(model: keras.Model) -> list[Any]:
    """The variables of metrics of which each process holds a summand."""
    return [variable for metric in single_metrics(model) if adds_up(metric) for variable in _sums(metric)]


def _sums(metric):
    for variable in metric.variables:
        if hasattr(metric, "sums_over_replicas") and getattr(variable, "aggregation", "sum") != "sum":
            raise SetupError(
                f"The metric {metric.name!r} says that it adds up over processes, and its variable {variable.name!r} has the "
                f"aggregation {variable.aggregation!r}. Write `sums_over_replicas = False` in {type(metric).__name__}."
            )
        yield variable
