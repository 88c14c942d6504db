"""The batches and losses of the steps since the last copy, as long as they may be kept."""

from typing import Any

import keras
from keras import tree

from kerasmith.callbacks.numerics_guard.first_nonfinite_step import RecordedStep, recorded_steps
from kerasmith.distribution.exchange import processes
from kerasmith.keras_internals.train_function_hook import replica_count


class StepRecord:
    """Keeps what a guard needs to make the steps since its last copy once more.

    Args:
        every: the most steps between two copies.

    Attributes:
        is_seen: whether batches are seen, as they are without several replicas.
    """

    is_seen: bool

    def __init__(self, every: int) -> None:
        self._every = self._capacity = every
        self._first, self._at_once, self._last = 0, 1, float("inf")
        self.is_seen = True
        self.drop()

    def __len__(self) -> int:
        return len(self._batches)

    def measure(self, model: keras.Model, batches: Any, memory: float, last: int | None) -> None:
        """Notes how many steps may be kept.

        Args:
            model: in training.
            batches: those of the next step, or None.
            memory: megabytes that the kept batches may take.
            last: number of steps in an epoch, None if nobody knows.
        """
        # Looked up once: properties of a model cost more than all else in a step.
        self._at_once = getattr(model, "steps_per_execution", 1)
        self.is_seen = replica_count(model) == 1
        self._last = last or float("inf")
        size = sum(getattr(leaf, "nbytes", 0) for leaf in tree.flatten(batches))
        capacity = max(1, min(self._every, int(memory * 1e6) // max(size, 1)))
        # Processes look at the same step.
        self._capacity = min(processes().of_all(capacity))

    def add(self, number: int, batches: Any, loss: Any) -> bool:
        """Keeps the batches of a step.

        Args:
            number: that of the step's batch.
            batches: what the data gave, in a list; None if it was not seen.
            loss: the running mean after it, or None.

        Returns:
            whether no further step may be kept, or none comes in this epoch.
        """
        if not self._batches:
            self._first = number
        if batches is None or not self.is_seen:
            batches = [None]
        self._batches += batches
        self._losses += [None] * (len(batches) - 1) + [loss]
        return len(self._batches) >= self._capacity or number + self._at_once >= self._last

    def drop(self) -> None:
        """Forgets the steps."""
        # Flat lists: an object for each step would keep Python's garbage collector busy, which costs more than all else here.
        self._batches, self._losses = [], []

    def steps(self) -> list[RecordedStep]:
        """The steps since the last copy, one `RecordedStep` each."""
        return recorded_steps(self._batches, self._losses, self._first, self._at_once)
