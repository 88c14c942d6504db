"""Callbacks of strangers' code that look odd and are right."""

import time

import keras
import numpy as np

from tests.zoo.entries import Right


class RateFinder(keras.callbacks.Callback):
    """Raises the rate in each batch and stops: it is thrown away after one run, so it keeps no state for a resume."""

    def __init__(self, low=1e-5, high=1.0, steps=50):
        super().__init__()
        self.low, self.high, self.steps = low, high, steps

    def on_train_begin(self, logs=None):
        self.rates, self.losses = [], []

    def on_train_batch_end(self, batch, logs=None):
        rate = self.low * (self.high / self.low) ** (len(self.rates) / self.steps)
        self.model.optimizer.learning_rate = rate
        self.rates.append(rate)
        self.losses.append((logs or {}).get("loss"))
        if len(self.rates) > self.steps:
            self.model.stop_training = True


class TimeLimit(keras.callbacks.Callback):
    """Stops after some minutes of this run."""

    def __init__(self, minutes=60.0):
        super().__init__()
        self.minutes = minutes

    def on_train_begin(self, logs=None):
        self.begin = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        if time.monotonic() - self.begin > 60.0 * self.minutes:
            self.model.stop_training = True


class Unfreeze(keras.callbacks.Callback):
    """Frees a layer after some epochs; the epoch says all, nothing is remembered."""

    def __init__(self, epoch=2, layer=0):
        super().__init__()
        self.epoch, self.layer = epoch, layer

    def on_epoch_begin(self, epoch, logs=None):
        if epoch >= self.epoch and self.layer < len(self.model.layers):
            self.model.layers[self.layer].trainable = True


class BestInMemory(keras.callbacks.Callback):
    """Keeps copies of the best weights of this run and restores them at its end."""

    def on_train_begin(self, logs=None):
        self.lowest, self.kept = np.inf, None

    def on_epoch_end(self, epoch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is not None and loss < self.lowest:
            self.lowest, self.kept = loss, [np.array(value) for value in self.model.get_weights()]

    def on_train_end(self, logs=None):
        if self.kept is not None:
            self.model.set_weights(self.kept)


RIGHT = [
    Right(RateFinder, note="rates in a list of this run"),
    Right(TimeLimit, note="a clock of this run"),
    Right(Unfreeze, note="changes the model on purpose"),
    Right(BestInMemory, note="copies"),
]
