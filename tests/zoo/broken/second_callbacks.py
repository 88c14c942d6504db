"""A second handful of strangers' callbacks, asked once the checks of the first were written."""

import keras

from tests.zoo.entries import Broken


class AverageOfTwo(keras.callbacks.Callback):
    """Keeps the layers' kernels of the last epoch by reference to average with them; automl#883."""

    def __init__(self):
        super().__init__()
        self.last = {}

    def on_epoch_end(self, epoch, logs=None):
        for layer in self.model.layers:
            if layer.trainable_weights:
                kernel = layer.trainable_weights[0]
                if layer.name in self.last:
                    kernel.assign(0.5 * (kernel + self.last[layer.name]))
                self.last[layer.name] = kernel


class Patience(keras.callbacks.Callback):
    """`min_delta` is stored; any improvement counts; "asked for"."""

    def __init__(self, min_delta=0.01, patience=2):
        super().__init__()
        self.min_delta = min_delta
        self.patience = patience
        self.lowest, self.waited = float("inf"), 0

    def on_epoch_end(self, epoch, logs=None):
        loss = (logs or {}).get("loss", 0.0)
        self.waited = 0 if loss < self.lowest else self.waited + 1
        self.lowest = min(loss, self.lowest)
        if self.waited >= self.patience:
            self.model.stop_training = True


BROKEN = [Broken(AverageOfTwo, "C123"), Broken(Patience, "X113")]
