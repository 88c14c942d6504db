"""The epoch that a data adapter of Keras counts for itself, by which Keras shuffles since 3.16."""

from typing import Any

from kerasmith.keras_internals.versions import shuffles_by_counter


def epoch_of(adapter: Any) -> int | None:
    """How many epochs the adapter has given; None where it does not count, as before Keras 3.16."""
    return getattr(adapter, "_epoch", None)


def is_unknown(adapter: Any) -> bool:
    """Whether Keras shuffles these arrays by a counter that is not where it was."""
    return shuffles_by_counter() and epoch_of(adapter) is None


def go_to_epoch(adapter: Any, epoch: int | None) -> None:
    """Has the adapter shuffle as in this epoch; None changes nothing."""
    if epoch is not None and epoch_of(adapter) is not None:
        adapter._epoch = epoch
