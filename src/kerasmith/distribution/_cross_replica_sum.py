"""The sum of a tensor over the replicas of a data-parallel run."""

import functools

import keras

from kerasmith._types import Tensor
from kerasmith.distribution._alone import is_alone
from kerasmith.distribution._running import RUNNING


def replica_count() -> int:
    """The number of replicas that share one training step, as a Python int."""
    if is_alone():
        return 1
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        context = tf.distribute.get_replica_context()
        return 1 if context is None else context.num_replicas_in_sync
    if backend == "torch":
        import torch.distributed as dist

        return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1
    return 1


def cross_replica_sum(x: Tensor) -> Tensor:
    """Sum of `x` over all replicas, available on each of them; differentiable; the identity on one replica.

    The gradient is the true adjoint: the sum over replicas of the incoming gradients.

    Args:
        x: a tensor of the same shape on every replica.

    Returns:
        A tensor like `x`.

    Example:

    >>> from keras import ops
    >>> float(cross_replica_sum(ops.convert_to_tensor(3.0)))
    3.0
    """
    if replica_count() == 1:
        return x
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, x)
    return _torch_all_reduce_sum()(x)


@functools.cache
def _torch_all_reduce_sum():
    import torch
    import torch.distributed as dist

    def summed(x):
        total = x.contiguous().clone()
        if RUNNING.collectives is None:
            dist.all_reduce(total)
        else:
            RUNNING.collectives.sum_([total])
        return total

    class AllReduceSum(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return summed(x)

        @staticmethod
        def backward(ctx, gradient):
            return summed(gradient)

    return AllReduceSum.apply
