"""Callbacks of strangers' code, written before the rules that find them: each resembles the thread that it names."""

import keras
import numpy as np

from tests.zoo.entries import Broken


class KeepBest(keras.callbacks.Callback):
    """Keeps the variables of the best epoch, which train on: nothing is restored; tensorflow#35634."""

    def on_train_begin(self, logs=None):
        self.lowest = np.inf
        self.kept = None

    def on_epoch_end(self, epoch, logs=None):
        loss = (logs or {}).get("loss", np.inf)
        if loss < self.lowest:
            self.lowest = loss
            self.kept = self.model.trainable_variables

    def on_train_end(self, logs=None):
        if self.kept is not None:
            for variable, value in zip(self.model.trainable_variables, self.kept):
                variable.assign(value)

    def state_dict(self):
        return {"lowest": self.lowest}

    def load_state_dict(self, state):
        self.lowest = state["lowest"]


class Rollback(keras.callbacks.Callback):
    """Goes back to the weights of the epoch's begin when the loss is NaN, by path, without a copy; keras#18822."""

    def on_epoch_begin(self, epoch, logs=None):
        self.before = {variable.path: variable for variable in self.model.weights}

    def on_epoch_end(self, epoch, logs=None):
        if not np.isfinite((logs or {}).get("loss", 0.0)):
            for variable in self.model.weights:
                variable.assign(self.before[variable.path])


class WeightDrift(keras.callbacks.Callback):
    """Writes how far the first weights are from the start, and the start moves along; automl#883 has such copies."""

    def on_train_begin(self, logs=None):
        self.start = [variable.value for variable in self.model.trainable_variables]

    def on_epoch_end(self, epoch, logs=None):
        now = [keras.ops.convert_to_numpy(variable.value) for variable in self.model.trainable_variables]
        old = [keras.ops.convert_to_numpy(value) for value in self.start]
        if logs is not None:
            logs["drift"] = float(sum(np.abs(a - b).sum() for a, b in zip(now, old)))


class HardSamples(keras.callbacks.Callback):
    """Takes other samples for the next epoch, where `fit` never reads them, and reads them itself; keras#6499."""

    def __init__(self, dataset=((0.0, 1.0), (1.0, 0.0), (2.0, 1.0))):
        super().__init__()
        self.dataset = list(dataset)

    def on_epoch_end(self, epoch, logs=None):
        self.dataset = [pair for pair in self.dataset if pair[1] > 0.0] or list(self.dataset)
        print("samples of the next epoch:", len(self.dataset))


class GrowingSequences(keras.callbacks.Callback):
    """A curriculum: `train_data` is cut anew each epoch on the callback only; "asked for"."""

    def __init__(self, x=None, lengths=(2, 4, 6)):
        super().__init__()
        self.x = np.zeros((4, 6)) if x is None else x
        self.lengths = tuple(lengths)
        self.train_data = self.x[:, : self.lengths[0]]

    def on_epoch_begin(self, epoch, logs=None):
        length = self.lengths[min(epoch, len(self.lengths) - 1)]
        self.train_data = self.x[:, :length]
        if self.train_data.shape[1] == self.lengths[-1]:
            print("full length")


class Warmup(keras.callbacks.Callback):
    """`epochs` is stored, and the rate rises over ten; keras#20325 asks for warm-ups."""

    def __init__(self, epochs=3, target=0.1):
        super().__init__()
        self.epochs, self.target = epochs, target

    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate = self.target * min(1.0, (epoch + 1) / 10)


BROKEN = [
    Broken(KeepBest, "C123"),
    Broken(Rollback, "C123"),
    Broken(WeightDrift, "C123", backends=("torch",)),
    Broken(HardSamples, "C112"),
    Broken(GrowingSequences, "C112"),
    Broken(Warmup, "X113"),
]
