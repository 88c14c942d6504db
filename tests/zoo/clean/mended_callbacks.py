"""Callbacks of `broken.strangers_callbacks` after the `fix` of their finding, as it is written there, was applied by hand."""

import keras
import numpy as np

from tests.zoo.broken import strangers_callbacks as broken
from tests.zoo.entries import Right


class KeepBest(broken.KeepBest):
    """Keeps numbers, not variables."""

    def on_epoch_end(self, epoch, logs=None):
        loss = (logs or {}).get("loss", np.inf)
        if loss < self.lowest:
            self.lowest = loss
            self.kept = [keras.ops.convert_to_numpy(v).copy() for v in self.model.trainable_variables]

    def state_dict(self):
        return {"lowest": self.lowest, "kept": self.kept}

    def load_state_dict(self, state):
        self.lowest, self.kept = state["lowest"], state["kept"]


class Rollback(broken.Rollback):
    """Copies by path."""

    def on_epoch_begin(self, epoch, logs=None):
        self.before = {v.path: keras.ops.convert_to_numpy(v).copy() for v in self.model.weights}


class Warmup(broken.Warmup):
    """The rate rises over as many epochs as were asked for."""

    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate = self.target * min(1.0, (epoch + 1) / self.epochs)


RIGHT = [Right(KeepBest, note="C123"), Right(Rollback, note="C123"), Right(Warmup, note="X113")]
