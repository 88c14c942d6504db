"""A training that ends in the middle of an epoch, as a kill ends it, in a process that goes on."""

import keras


class Interrupted(Exception):
    """Stands for a kill that the test survives."""


class InterruptAt(keras.callbacks.Callback):
    """Ends the training in front of a batch."""

    def __init__(self, epoch, batch=2):
        super().__init__()
        self.at = (epoch, batch)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise Interrupted
