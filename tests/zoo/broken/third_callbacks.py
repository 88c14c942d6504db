"""Callbacks of a third blind corpus: they take it for granted that the model has their metric."""

import keras

from tests.zoo.entries import Broken


class StopAtAccuracy(keras.callbacks.Callback):
    """The first callback of many a course."""

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {"accuracy": 0.0}
        if logs["accuracy"] > 0.99:
            self.model.stop_training = True


class GapOfAccuracy(keras.callbacks.Callback):
    """Looks for the validation, but not for the metric."""

    def on_train_begin(self, logs=None):
        self.gaps = []

    def on_epoch_end(self, epoch, logs=None):
        if logs and "val_loss" in logs:
            self.gaps.append(logs["accuracy"] - logs.get("val_accuracy", 0.0))


BROKEN = [Broken(StopAtAccuracy, check="C124"), Broken(GapOfAccuracy, check="C124")]
