"""Which of the replicas of a step this one is."""

import sys
from typing import Any

import keras

from kerasmith.distribution._alone import is_alone


def replica_number() -> Any:
    """From 0; on TensorFlow a tensor in a step, 0 where there is one replica (since 0.2)."""
    if is_alone():
        return 0
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        context = tf.distribute.get_replica_context()
        return 0 if context is None else context.replica_id_in_sync_group
    torch = sys.modules.get("torch")
    is_distributed = torch is not None and torch.distributed.is_available() and torch.distributed.is_initialized()
    return torch.distributed.get_rank() if is_distributed else 0
