"""A replica's part of a number that all replicas compute together, and the whole of it."""

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.distribution._cross_replica_sum import cross_replica_sum, replica_count


def scale_loss_for_replicas(x: Tensor) -> Tensor:
    """What a replica hands to the training engine so that the engine minimises the sum of all shares.

    TensorFlow's engine adds the gradients of the replicas, PyTorch's averages them.

    Args:
        x: this replica's part of the global loss.
    """
    count = replica_count()
    return x * count if count > 1 and keras.backend.backend() == "torch" else x


def averaged_gradients(gradients: list[Tensor | None]) -> list[Tensor | None]:
    """Gradients as the engine would make them of those of all replicas: PyTorch's averages them where a model is wrapped for
    that, and not in a step that differentiates by itself. Elsewhere they stay, as an optimizer adds them (since 0.2)."""
    count = replica_count()
    if count == 1 or keras.backend.backend() != "torch":
        return gradients
    return [None if one is None else cross_replica_sum(one) / count for one in gradients]


def local_share_of_mean(value: Tensor, batch: Tensor) -> Tensor:
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
    return scale_loss_for_replicas(value * samples / cross_replica_sum(samples))


def global_value(share: Tensor) -> Tensor:
    """The number of which every replica has a share, on each of them; without a gradient."""
    if replica_count() == 1:
        return ops.stop_gradient(share)
    return cross_replica_sum(ops.stop_gradient(share)) / scale_loss_for_replicas(1.0)


def display_global_value(share: Tensor) -> Tensor:
    """A share with the gradient of this replica's part, whose value makes Keras show the whole number."""
    if replica_count() == 1:
        return share
    # Keras multiplies TensorFlow's loss by the number of replicas before it shows it, and takes PyTorch's as it is.
    whole = global_value(share) / (replica_count() / scale_loss_for_replicas(1.0))
    return share + ops.stop_gradient(whole - share)
