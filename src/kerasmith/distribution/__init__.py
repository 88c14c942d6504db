"""Sums over the replicas of a data-parallel run, the same on the three backends.

TensorFlow: any `tf.distribute` strategy. PyTorch: an initialised `torch.distributed` group. JAX under `keras.distribution`
traces one program for the global batch, so there is one replica and every function here is the identity.
"""

from kerasmith.distribution._cross_replica_sum import cross_replica_sum, replica_count, share_of_loss

__all__ = ["cross_replica_sum", "replica_count", "share_of_loss"]
