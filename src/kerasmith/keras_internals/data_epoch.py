"""The epoch that a data adapter of Keras counts for itself, by which Keras 3.16 shuffles."""

from typing import Any


def epoch_of(adapter: Any) -> int | None:
    """How many epochs the adapter has given, or None before Keras 3.16, which shuffles by the global generators."""
    return getattr(adapter, "_epoch", None)


def go_to_epoch(adapter: Any, epoch: int) -> None:
    """Has the adapter shuffle as in this epoch."""
    if epoch_of(adapter) is not None:
        adapter._epoch = epoch
