"""From one loss per sample to the number that training minimises."""

from keras import ops

from kerasmith._types import Reduction, Tensor
from kerasmith.distribution import cross_replica_sum, replica_count, scale_loss_for_replicas
from kerasmith.distribution._share_of_batch import processes_with_equal_shares
from kerasmith.numerics import safe

REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None)


def reduce_samples(
    values: Tensor,
    reduction: Reduction,
    *,
    weight: Tensor | None = None,
    weight_mean: Tensor | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """Reduces (B,) losses over the global batch.

    - "sum_over_batch_size", "mean": sum(w * l) / B, with B counting valid samples only
    - "sum": sum(w * l)
    - "mean_with_sample_weight": sum(w * l) / sum(w * weight_mean)
    - "none", None: w * l

    Under several replicas B and the weights are those of the global batch, so an uneven split changes nothing.

    Args:
        values: (B,) losses.
        reduction: one of `REDUCTIONS`.
        weight: (B,) or scalar sample weights, or None.
        weight_mean: (B,) mean pixel weight of each sample, where pixel weights are inside `values`; or None.
        valid: (B,), 0 on samples removed by a mask; or None.
    """
    weighted = values if weight is None else values * ops.cast(weight, values.dtype)
    if valid is not None:
        # A masked sample may hold anything, NaN too.
        weighted = ops.where(valid == 0, ops.zeros_like(weighted), weighted * ops.cast(valid, values.dtype))
    if reduction in ("none", None):
        return weighted
    total = ops.sum(weighted)
    if reduction == "sum":
        return scale_loss_for_replicas(total)
    factors = (weight, weight_mean, valid) if reduction == "mean_with_sample_weight" else (valid,)
    factors = [factor for factor in factors if factor is not None]
    if not factors and values.shape[0] is not None:
        processes = 1 if replica_count() == 1 else processes_with_equal_shares(values.shape[0])
        if processes is not None:
            return scale_loss_for_replicas(total / (max(values.shape[0], 1) * processes))
    divisor = ops.ones_like(values)
    for factor in factors:
        divisor = divisor * ops.cast(factor, values.dtype)
    divisor = cross_replica_sum(ops.stop_gradient(ops.sum(divisor)))
    return scale_loss_for_replicas(safe.ratio(total, divisor, when_empty=0.0))
