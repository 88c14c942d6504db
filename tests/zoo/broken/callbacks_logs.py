"""Callbacks that handle the logs wrongly."""

import keras

from tests.zoo.entries import Broken


class FinalScore(keras.callbacks.Callback):
    """Crashes when a hook is called without logs (an own training loop does). Source: tensorflow/tensorflow 38498."""

    def on_train_end(self, logs=None):
        parts = [f"{name}={value:.4f}" for name, value in logs.items()]
        print("final: " + ", ".join(parts))


class StopAtValidationLoss(keras.callbacks.Callback):
    """KeyError in every epoch without validation (`validation_freq=2`, or no validation data). Source: qjadud1994/CRNN-Keras
    55."""

    def __init__(self, target=0.1):
        super().__init__()
        self.target = target

    def on_epoch_end(self, epoch, logs=None):
        if logs and logs["val_loss"] < self.target:
            self.model.stop_training = True


class ValidationOnly(keras.callbacks.Callback):
    """Removes the training values from the shared logs: History and CSVLogger lose them. Source: ray-project/ray 64565 (the
    same `pop`), tensorflow/tensorflow 37187 (who may write to logs)."""

    def on_epoch_end(self, epoch, logs=None):
        logs = logs if logs is not None else {}
        for name in [name for name in logs if not name.startswith("val_")]:
            logs.pop(name)
        print(f"epoch {epoch + 1}: {logs}")


class PercentLogs(keras.callbacks.Callback):
    """Multiplies the accuracy in the shared logs by 100: checkpoints and early stopping after it compare percents. Source:
    tensorflow/tensorflow 45895 (callbacks that update `logs` share one dict)."""

    def on_epoch_end(self, epoch, logs=None):
        for name in logs or {}:
            if name.endswith(("loss", "accuracy")):
                logs[name] = 100.0 * logs[name]


class PlotFromHistory(keras.callbacks.Callback):
    """Reads `model.history`, which is written after it: always one epoch behind. Source: keras-team/keras 10691."""

    def __init__(self, width=20):
        super().__init__()
        self.width = width

    def on_epoch_end(self, epoch, logs=None):
        losses = self.model.history.history.get("loss", [])
        if losses:
            print("#" * int(self.width * losses[-1] / max(losses)))


BROKEN = [
    Broken(FinalScore, check="C104", note="never None from `fit`: CallbackList turns None into {}"),
    Broken(StopAtValidationLoss, check="C105"),
    Broken(ValidationOnly, check="C106"),
    Broken(PercentLogs, check="C106"),
    Broken(PlotFromHistory, check="C115"),
]
