"""Right callbacks that do what broken ones of the zoo try to do."""

import math
import os

import keras
import numpy as np

from tests.zoo.entries import Right


class BestScore(keras.callbacks.Callback):
    """Keeps the weights with the largest score; a NaN is never the best. Twin of BestDice."""

    def __init__(self, monitor="val_accuracy"):
        super().__init__()
        self.monitor = monitor

    def on_train_begin(self, logs=None):
        self.best, self.weights = -math.inf, None

    def on_epoch_end(self, epoch, logs=None):
        value = (logs or {}).get(self.monitor)
        if value is not None and value > self.best:
            self.best, self.weights = value, self.model.get_weights()

    def on_train_end(self, logs=None):
        if self.weights is not None:
            self.model.set_weights(self.weights)

    def state_dict(self):
        return {"best": self.best, "weights": self.weights}

    def load_state_dict(self, state):
        self.best, self.weights = state["best"], state["weights"]


class StopWhenGood(keras.callbacks.Callback):
    """Stops because the value is good enough: an end while all goes well is its purpose."""

    def __init__(self, monitor="val_accuracy", target=0.6):
        super().__init__()
        self.monitor, self.target = monitor, target

    def on_epoch_end(self, epoch, logs=None):
        if (logs or {}).get(self.monitor, 0.0) >= self.target:
            self.model.stop_training = True


class StopOnBadLoss(keras.callbacks.Callback):
    """Stops at once when the loss is not finite. Twin of StopOnNaN."""

    def on_train_batch_end(self, batch, logs=None):
        if not np.isfinite((logs or {}).get("loss", 0.0)):
            self.model.stop_training = True


class CutOnPlateau(keras.callbacks.Callback):
    """Halves the rate when the loss stands still, with its state, and with no regard for a NaN."""

    def __init__(self, monitor="loss", patience=2):
        super().__init__()
        self.monitor, self.patience = monitor, patience

    def on_train_begin(self, logs=None):
        self.best, self.wait = None, 0

    def on_epoch_end(self, epoch, logs=None):
        value = (logs or {}).get(self.monitor)
        if value is None or not math.isfinite(value):
            return
        if self.best is None or value < self.best:
            self.best, self.wait = value, 0
            return
        self.wait += 1
        if self.wait >= self.patience:
            optimizer = self.model.optimizer
            optimizer.learning_rate = 0.5 * float(optimizer.learning_rate)
            self.wait = 0

    def state_dict(self):
        return {"best": self.best, "wait": self.wait}

    def load_state_dict(self, state):
        self.best, self.wait = state["best"], state["wait"]


class FilePerEpoch(keras.callbacks.Callback):
    """A new file for each epoch: nothing is overwritten, and a resumed run writes the same ones again."""

    def __init__(self, directory="epochs"):
        super().__init__()
        self.directory = directory

    def on_train_begin(self, logs=None):
        os.makedirs(self.directory, exist_ok=True)

    def on_epoch_end(self, epoch, logs=None):
        with open(os.path.join(self.directory, f"{epoch:03d}.txt"), "w", encoding="utf-8") as file:
            file.write(f"{(logs or {}).get('loss')}\n")


class LossesSoFar(keras.callbacks.Callback):
    """A list of numbers grows with the epochs, which is nothing beside a model. Twin of EveryWeight and LossList."""

    def on_train_begin(self, logs=None):
        self.losses = []

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append((logs or {}).get("loss"))

    def state_dict(self):
        return {"losses": list(self.losses)}

    def load_state_dict(self, state):
        self.losses = list(state["losses"])


class PickedSamples(keras.callbacks.Callback):
    """Draws with a generator of its own, the same in each run. Twin of SamplePicker."""

    def __init__(self, names, count=2, seed=0):
        super().__init__()
        self.names, self.count, self.seed = list(names), count, seed

    def on_epoch_begin(self, epoch, logs=None):
        print("pictures:", np.random.default_rng([self.seed, epoch]).choice(self.names, self.count, replace=False))


class FrozenAtFirst(keras.callbacks.Callback):
    """Sets `trainable` before the first step is compiled, not in the middle of `fit`. Twin of Unfreeze."""

    def __init__(self, names=("backbone",)):
        super().__init__()
        self.names = tuple(names)

    def set_model(self, model):
        super().set_model(model)
        for layer in model.layers:
            if layer.name in self.names:
                layer.trainable = False


class NotesOnModel(keras.callbacks.Callback):
    """Notes on the model what happened; a training reads nothing of it, and nobody says it does."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.last_epoch = epoch
        self.model.notes = {"loss": (logs or {}).get("loss")}


RIGHT = [
    Right(BestScore, contract={"observer": False}),
    Right(StopWhenGood, note="stops while the score rises, at a value and not after a wait"),
    Right(StopOnBadLoss, note="asks for the model in one step at most"),
    Right(CutOnPlateau),
    Right(FilePerEpoch, note='"w", but never on a file that is there'),
    Right(FilePerEpoch, init={"directory": "deep/er"}),
    Right(LossesSoFar),
    Right(PickedSamples, init={"names": ["a.png", "b.png", "c.png"]}),
    Right(FrozenAtFirst),
    Right(NotesOnModel, note="attributes of its own on the model"),
]
