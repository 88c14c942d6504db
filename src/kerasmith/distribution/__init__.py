"""Training on several devices and in several processes: sums over replicas, and `setup`, the same on the three backends.

TensorFlow: any `tf.distribute` strategy. PyTorch: an initialised `torch.distributed` group. JAX under `keras.distribution`
traces one program for the global batch, so there is one replica and every function here is the identity.
"""

from collections.abc import Callable

from kerasmith import _moved
from kerasmith.distribution._cross_replica_sum import cross_replica_sum, replica_count
from kerasmith.distribution._metric_sum import metric_sum
from kerasmith.distribution._place import Place
from kerasmith.distribution._process_index import process_index
from kerasmith.distribution._replica_error import ReplicaError, SetupError
from kerasmith.distribution._replica_number import replica_number
from kerasmith.distribution._setup import setup
from kerasmith.distribution._shares import (
    averaged_gradients,
    display_global_value,
    global_value,
    local_share_of_mean,
    scale_loss_for_replicas,
)

__all__ = [
    "Place",
    "ReplicaError",
    "SetupError",
    "averaged_gradients",
    "cross_replica_sum",
    "display_global_value",
    "global_value",
    "local_share_of_mean",
    "metric_sum",
    "process_index",
    "replica_count",
    "replica_number",
    "scale_loss_for_replicas",
    "setup",
]

__getattr__: Callable[[str], object] = _moved.renamed("kerasmith.distribution", {"share_of_loss": "scale_loss_for_replicas"})


def __dir__() -> list[str]:
    return __all__
