"""Batches that Keras drew for another purpose and would hand to training."""

import queue
from typing import Any


def forget_stale_batches(adapter: Any) -> int:
    """Drops the batches that the workers of a `keras.utils.PyDataset` hold from before an epoch.

    To build a model JAX and PyTorch read a first batch and stop. Batches that workers had ready by then stay in a queue, and
    the first epoch yields them before its own: it sees about ten batches twice and its last ten never. Call this before an
    epoch reads its first batch, and never within one.

    Args:
        adapter: the data adapter of Keras that reads the dataset; any other object is left alone.

    Returns:
        The number of batches that were dropped.
    """
    ready = getattr(getattr(adapter, "enqueuer", None), "ready_queue", None)
    dropped = 0
    while isinstance(ready, queue.Queue):
        try:
            ready.get_nowait()
        except queue.Empty:
            break
        dropped += 1
    return dropped
