"""From one loss per sample to the number that training minimises."""

from keras import ops

from kerasmith.distribution import cross_replica_sum, replica_count, share_of_loss
from kerasmith.numerics import safe

REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None)


def reduce_samples(values, reduction, *, weight=None, weight_mean=None, valid=None):
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
        return share_of_loss(total)
    factors = (weight, weight_mean, valid) if reduction == "mean_with_sample_weight" else (valid,)
    factors = [factor for factor in factors if factor is not None]
    if not factors and values.shape[0] is not None and replica_count() == 1:
        return total / max(values.shape[0], 1)
    divisor = ops.ones_like(values)
    for factor in factors:
        divisor = divisor * ops.cast(factor, values.dtype)
    divisor = cross_replica_sum(ops.stop_gradient(ops.sum(divisor)))
    return share_of_loss(safe.ratio(total, divisor, when_empty=0.0))


def local_share_of_mean(value, batch):
    """A replica's part of a number that is the mean over its own samples.

    Args:
        value: a scalar of this replica's samples.
        batch: a tensor with those samples in its first axis.
    """
    if replica_count() == 1:
        return value
    samples = ops.cast(ops.shape(batch)[0], value.dtype)
    # A short last batch may leave a replica without samples, whose mean is NaN.
    value = ops.where(samples == 0, ops.zeros_like(value), value)
    return share_of_loss(value * samples / cross_replica_sum(samples))


def global_value(share):
    """The number of which every replica has a share, on each of them; without a gradient."""
    count = replica_count()
    if count == 1:
        return ops.stop_gradient(share)
    return cross_replica_sum(ops.stop_gradient(share)) / share_of_loss(1.0)


def display_global_value(share):
    """A share with the gradient of this replica's part, whose value makes Keras show the whole number."""
    if replica_count() == 1:
        return share
    # Keras multiplies TensorFlow's loss by the number of replicas before it shows it, and takes PyTorch's as it is.
    whole = global_value(share) / (replica_count() / share_of_loss(1.0))
    return share + ops.stop_gradient(whole - share)
