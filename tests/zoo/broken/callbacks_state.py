"""Callbacks that lose, mix up or keep too much of their state."""

import json
import os

import keras
import numpy as np

from tests.zoo.entries import Broken


class Patience(keras.callbacks.Callback):
    """`best` and `wait` are lost when a run is resumed: patience starts anew. Source: keras-team/keras 17012,
    Lightning-AI/pytorch-lightning 1463."""

    def __init__(self, monitor="loss", patience=2):
        super().__init__()
        self.monitor = monitor
        self.patience = patience

    def on_train_begin(self, logs=None):
        self.best = float("inf")
        self.wait = 0

    def on_epoch_end(self, epoch, logs=None):
        value = (logs or {}).get(self.monitor)
        if value is None:
            return
        self.wait = 0 if value < self.best else self.wait + 1
        self.best = min(self.best, value)
        if self.wait >= self.patience:
            self.model.stop_training = True


class RestartingRate(keras.callbacks.Callback):
    """Counts its epochs itself and forgets the count on resume: the learning rate restarts. Asked for: "cosine
    annealing with warm restarts"."""

    def __init__(self, peak=0.1, floor=0.001, period=5):
        super().__init__()
        self.peak, self.floor, self.period = peak, floor, period

    def on_train_begin(self, logs=None):
        self.count = 0

    def on_epoch_begin(self, epoch, logs=None):
        angle = np.pi * (self.count % self.period) / self.period
        self.model.optimizer.learning_rate = float(self.floor + 0.5 * (self.peak - self.floor) * (1 + np.cos(angle)))
        self.count += 1


class BestLoss(keras.callbacks.Callback):
    """`best` is set in the constructor only: a second `fit` compares with the first. Source: keras-team/keras 20521, 22967."""

    def __init__(self, patience=2):
        super().__init__()
        self.patience = patience
        self.best = float("inf")
        self.wait = 0

    def on_epoch_end(self, epoch, logs=None):
        value = (logs or {}).get("loss", float("inf"))
        self.wait = 0 if value < self.best else self.wait + 1
        self.best = min(self.best, value)
        if self.wait >= self.patience:
            self.model.stop_training = True

    def state_dict(self):
        return {"best": self.best, "wait": self.wait}

    def load_state_dict(self, state):
        self.best, self.wait = state["best"], state["wait"]


class StateFile(keras.callbacks.Callback):
    """Opens the file with "w" before the new content is there: a kill leaves an empty one. Source:
    Lightning-AI/pytorch-lightning 688, harvard-edge/cs249r_book 2068."""

    def __init__(self, path="state.json"):
        super().__init__()
        self.path = path

    def on_epoch_end(self, epoch, logs=None):
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump({"epoch": epoch, **(logs or {})}, file)


class AppendingLog(keras.callbacks.Callback):
    """Appends to its file: after a resume the epochs since the checkpoint stand there twice. Asked for: "callbacks: nothing
    survives a restart"."""

    def __init__(self, path="log.csv"):
        super().__init__()
        self.path = path

    def on_train_begin(self, logs=None):
        if not os.path.exists(self.path):
            with open(self.path, "w", encoding="utf-8") as file:
                file.write("epoch,loss\n")

    def on_epoch_end(self, epoch, logs=None):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(f"{epoch},{(logs or {}).get('loss')}\n")


class EveryWeight(keras.callbacks.Callback):
    """Keeps a copy of all weights of every epoch: memory grows until the run is killed. Source: no thread; the state contract
    wants state that is small and plain."""

    def on_train_begin(self, logs=None):
        self.weights = []

    def on_epoch_end(self, epoch, logs=None):
        self.weights.append(self.model.get_weights())

    def state_dict(self):
        return {"weights": [list(arrays) for arrays in self.weights]}

    def load_state_dict(self, state):
        self.weights = list(state["weights"])


class BestDice(keras.callbacks.Callback):
    """Keeps the weights with the smallest value of a score that should be large. Source: measured (ModelCheckpoint cannot
    infer the direction of own metrics)."""

    def __init__(self, monitor="val_accuracy"):
        super().__init__()
        self.monitor = monitor

    def on_train_begin(self, logs=None):
        self.best, self.weights = float("inf"), None

    def on_epoch_end(self, epoch, logs=None):
        value = (logs or {}).get(self.monitor)
        if value is not None and value < self.best:
            self.best, self.weights = value, self.model.get_weights()

    def on_train_end(self, logs=None):
        if self.weights is not None:
            self.model.set_weights(self.weights)

    def state_dict(self):
        return {"best": self.best, "weights": self.weights}

    def load_state_dict(self, state):
        self.best, self.weights = state["best"], state["weights"]


BROKEN = [
    Broken(Patience, check="C107"),
    Broken(RestartingRate, check="C107"),
    Broken(BestLoss, check="C108"),
    Broken(StateFile, check="C116"),
    Broken(AppendingLog, check="C118"),
    Broken(EveryWeight, check="C120"),
    Broken(BestDice, check="C121"),
]
