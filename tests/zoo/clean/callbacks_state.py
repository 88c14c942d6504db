"""Right callbacks with state: patience, files, counters, clocks."""

import json
import os
import threading
import time

import keras

from tests.zoo.entries import Right


class StopAtTarget(keras.callbacks.Callback):
    """Stops training once a value is reached; without it in the logs nothing happens."""

    def __init__(self, monitor="val_loss", target=0.1):
        super().__init__()
        self.monitor, self.target = monitor, target

    def on_epoch_end(self, epoch, logs=None):
        value = (logs or {}).get(self.monitor)
        if value is not None and value < self.target:
            self.model.stop_training = True


class PatienceThatSurvives(keras.callbacks.Callback):
    """Patience with its state in the contract of `Resume`; a new `fit` starts anew."""

    def __init__(self, monitor="loss", patience=2):
        super().__init__()
        self.monitor, self.patience = monitor, patience
        self.on_train_begin()

    def on_train_begin(self, logs=None):
        self.best, self.wait = float("inf"), 0

    def on_epoch_end(self, epoch, logs=None):
        value = (logs or {}).get(self.monitor, float("inf"))
        self.wait = 0 if value < self.best else self.wait + 1
        self.best = min(self.best, value)
        if self.wait >= self.patience:
            self.model.stop_training = True

    def state_dict(self):
        return {"best": self.best, "wait": self.wait}

    def load_state_dict(self, state):
        self.best, self.wait = state["best"], state["wait"]


class AtomicStateFile(keras.callbacks.Callback):
    """Opens a file with "w", but another one: the old file is replaced in one step."""

    def __init__(self, path="state.json"):
        super().__init__()
        self.path = os.fspath(path)

    def on_epoch_end(self, epoch, logs=None):
        unfinished = self.path + ".tmp"
        with open(unfinished, "w", encoding="utf-8") as file:
            json.dump({"epoch": epoch, **(logs or {})}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, self.path)


class LastLoss(keras.callbacks.Callback):
    """May be called from another thread, and says so: a lock, no access to the model."""

    async_safe = True

    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()
        self.largest_batch, self.loss = -1, None

    def on_epoch_begin(self, epoch, logs=None):
        with self.lock:
            self.largest_batch, self.loss = -1, None

    def on_train_batch_end(self, batch, logs=None):
        with self.lock:
            if batch > self.largest_batch:
                self.largest_batch, self.loss = batch, (logs or {}).get("loss")

    def on_epoch_end(self, epoch, logs=None):
        print(f"loss after batch {self.largest_batch}: {self.loss}")


class BestWeights(keras.callbacks.Callback):
    """Keeps the best weights and puts them back at the end: changes the model on purpose, with state in arrays."""

    def __init__(self, monitor="loss"):
        super().__init__()
        self.monitor = monitor

    def on_train_begin(self, logs=None):
        self.best, self.weights = float("inf"), None

    def on_epoch_end(self, epoch, logs=None):
        value = (logs or {}).get(self.monitor, float("inf"))
        if value < self.best:
            self.best, self.weights = value, self.model.get_weights()

    def on_train_end(self, logs=None):
        if self.weights is not None:
            self.model.set_weights(self.weights)

    def state_dict(self):
        return {"best": self.best, "weights": self.weights}

    def load_state_dict(self, state):
        self.best, self.weights = state["best"], state["weights"]


class EpochsOfALifetime(keras.callbacks.Callback):
    """Counts the epochs of all calls of `fit`, on purpose."""

    def __init__(self):
        super().__init__()
        self.epochs_ever = 0

    def on_epoch_end(self, epoch, logs=None):
        self.epochs_ever += 1

    def state_dict(self):
        return {"epochs_ever": self.epochs_ever}

    def load_state_dict(self, state):
        self.epochs_ever = state["epochs_ever"]


class SecondsPerEpoch(keras.callbacks.Callback):
    """Attributes that change and are not saved, since they belong to this process and are set anew in each epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["seconds"] = time.perf_counter() - self.started


class StrictMonitor(keras.callbacks.Callback):
    """Raises an error of its own, with what to write instead, when the value it needs cannot exist."""

    def __init__(self, monitor="loss"):
        super().__init__()
        self.monitor = monitor

    def on_epoch_end(self, epoch, logs=None):
        if logs and self.monitor not in logs:
            raise ValueError(f"No {self.monitor!r} in the logs; choose one of them. Received: logs={sorted(logs)}")


class RatePerStep(keras.callbacks.Callback):
    """Touches the optimizer in each step, but keeps it from `set_model`: no synchronisation of the model."""

    def __init__(self, rate=0.1, steps=8):
        super().__init__()
        self.rate, self.steps = rate, steps

    def on_train_begin(self, logs=None):
        self.step = 0
        self.optimizer = self.model.optimizer

    def on_train_batch_begin(self, batch, logs=None):
        self.optimizer.learning_rate = self.rate * min(1.0, (self.step + 1) / self.steps)
        self.step += 1

    def state_dict(self):
        return {"step": self.step}

    def load_state_dict(self, state):
        self.step = state["step"]


RIGHT = [
    Right(StopAtTarget, note="stops training; the value may be missing"),
    Right(PatienceThatSurvives, note="calls a hook from its constructor"),
    Right(AtomicStateFile, note='opens with "w", then replaces'),
    Right(LastLoss, note="runs in another thread"),
    Right(BestWeights, contract={"observer": False}, note="sets weights when training ends"),
    Right(EpochsOfALifetime, contract={"continues": True}, note="a second fit goes on counting"),
    Right(SecondsPerEpoch, note="wall-clock attributes, no state_dict"),
    Right(StrictMonitor, note="raises, but not a bare KeyError"),
    Right(
        RatePerStep,
        backends=("tensorflow", "torch"),
        note="a rate in each step; on JAX the rate lives in the state of the step, use a schedule there",
    ),
]
