"""The losses of Keras over the batch of all processes, as `kerasmith.losses` are by themselves."""

from typing import Any

import keras
import torch
from keras import ops, tree

from kerasmith._types import Tensor
from kerasmith.distribution._alone import alone
from kerasmith.distribution._cross_replica_sum import cross_replica_sum, replica_count
from kerasmith.distribution._running import RUNNING
from kerasmith.distribution._share_of_batch import processes_with_equal_shares, share_of_batch
from kerasmith.distribution._shares import display_global_value, scale_loss_for_replicas
from kerasmith.keras_internals import global_batch


def install() -> None:
    """Makes it so for this process."""
    global_batch.replace_reduction(reduce_over_all, of_whole_batch)
    global_batch.replace_added_losses(share_of_added)


def reduce_over_all(
    module: Any, values: Any, *, sample_weight: Any, mask: Any, reduction: str | None, dtype: Any
) -> Tensor | None:
    """What Keras' `reduce_weighted_values` gives for the batch of all processes, as this one's part of it.

    Args:
        module: Keras' own functions.
        values, sample_weight, mask, reduction, dtype: as in Keras.

    Returns:
        The loss; None where a loss gives one number for a batch, of which no process has a part.
    """
    values = ops.convert_to_tensor(values, dtype=dtype)
    given = {"sample_weight": sample_weight, "mask": mask, "dtype": dtype}
    if replica_count() == 1 or reduction in (None, "none"):
        return module.reduce_weighted_values(values, reduction=reduction, **given)
    if len(values.shape) == 0:
        return None
    weighted = module.reduce_weighted_values(values, reduction="none", **given)
    total = ops.sum(weighted)
    if reduction != "sum":
        total = ops.divide_no_nan(total, _divisor(module, weighted, sample_weight, mask, reduction))
    return display_global_value(scale_loss_for_replicas(total))


def of_whole_batch(call: Any, loss: Any, y_true: Any, y_pred: Any, sample_weight: Any) -> Tensor:
    """The loss that a function gives for the samples of all processes, which each of them computes."""
    if replica_count() == 1:
        return call(loss, y_true, y_pred, sample_weight)
    given = tree.map_structure(_rows_of_all, (y_true, y_pred, sample_weight), none_is_leaf=False)
    with alone():
        value = call(loss, *given)
    # The gradient of a process is that by its own samples; the engine takes the mean over processes.
    share = scale_loss_for_replicas(value)
    return share + ops.stop_gradient(value - share)


def _rows_of_all(leaf):
    if not getattr(leaf, "ndim", 0):
        return leaf
    return _GatheredRows.apply(ops.convert_to_tensor(leaf))


class _GatheredRows(torch.autograd.Function):
    """The rows of all processes, with the gradient by those of this one."""

    @staticmethod
    def forward(ctx: Any, rows: Any) -> Any:
        parts = RUNNING.collectives.gather_rows(rows)
        rank = RUNNING.collectives.rank
        ctx.start, ctx.length = sum(len(part) for part in parts[:rank]), len(rows)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        return gradient[ctx.start : ctx.start + ctx.length]


def _divisor(module, weighted, sample_weight, mask, reduction):
    """What Keras divides by, of all processes."""
    dtype = weighted.dtype
    if reduction == "mean_with_sample_weight" and not (sample_weight is None and mask is None):
        weight = None if sample_weight is None else ops.convert_to_tensor(sample_weight, dtype=dtype)
        mask = None if mask is None else ops.convert_to_tensor(mask, dtype=dtype)
        weight = module.apply_mask(weight, mask, dtype=dtype, reduction="sum")
        return cross_replica_sum(ops.stop_gradient(ops.sum(ops.cast(weight, dtype))))
    elements = _count(weighted, dtype)
    if mask is None:
        processes = processes_with_equal_shares(int(weighted.shape[0]))
        return cross_replica_sum(elements) if processes is None else elements * processes
    # Elements that count, times values of a loss to each element of the mask.
    parts = ops.stack([elements, _count(mask, dtype), ops.cast(ops.sum(ops.cast(mask, dtype)), dtype)])
    elements, places, valid = ops.unstack(cross_replica_sum(parts), num=3)
    return ops.divide_no_nan(elements * valid, places)


def _count(tensor, dtype):
    number = 1
    for size in tensor.shape:
        number *= int(size)
    return ops.cast(ops.convert_to_tensor(float(number)), dtype)


def share_of_added(loss: Tensor) -> Tensor:
    """What a layer gave to `add_loss`, a mean over samples, as this process's part of the mean over all of them."""
    part = share_of_batch()
    if part is None or replica_count() == 1:
        return loss
    if not part.own:
        return ops.zeros(())
    share = loss * (keras.ops.convert_to_tensor(part.own / part.whole, dtype=loss.dtype) * scale_loss_for_replicas(1.0))
    return share + ops.stop_gradient(loss - share)
