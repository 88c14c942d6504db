"""Batches that are drawn at random and are the same after an interruption."""

from typing import Any

import keras

from kerasmith.base.keywords import KnowsKeywords


class DrawnBatches(KnowsKeywords, keras.utils.PyDataset):
    """Batch number `step`, counted over all epochs, is a pure function of (seed, step).

    It does not depend on what was drawn before, so a run that continues at any step sees what an uninterrupted one would have
    seen. Subclasses implement `batch(step)`.

    Args:
        batch_size: samples in a batch.
        steps: batches in an epoch.
        seed: whole number >= 0.
    """

    epoch: int
    batch_size: int
    steps: int
    seed: int

    def __init__(self, *, batch_size: int, steps: int, seed: int) -> None:
        # One worker: more would run ahead of the count of epochs.
        super().__init__(workers=1, use_multiprocessing=False)
        self.batch_size, self.steps, self.seed = batch_size, steps, seed
        self.epoch = 0
        self._asked = 0

    def batch(self, step: int) -> tuple[Any, Any]:
        """Batch number `step` of the whole run, counted from 0."""
        raise NotImplementedError(f"{type(self).__name__} must implement `batch`.")

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if not 0 <= index < self.steps:
            raise IndexError(f"An epoch has {self.steps} batches. Received: index={index}")
        self._asked += 1
        return self.batch(self.epoch * self.steps + index)

    def on_epoch_begin(self) -> None:
        self._asked = 0

    def on_epoch_end(self) -> None:
        # Keras reads a batch or two to build a model and then ends an "epoch" that never was.
        self.epoch += self._asked >= self.steps
        self._asked = 0

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on from here."""
        return {"epoch": self.epoch}

    def load_state_dict(self, state: Any) -> None:
        """Goes on where the run that gave `state` was."""
        self.epoch = int(state["epoch"])
