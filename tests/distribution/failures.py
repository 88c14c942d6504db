"""Started by `kerasmith launch`, `CASE`: a training in which the last process does something else in its fourth step."""

import os
import sys

import keras
import numpy as np

from kerasmith import distribution

case = sys.argv[1]
place = distribution.setup(timeout=60)
is_last = place.rank == place.count - 1
x, y = np.ones((40, 3), "float32"), np.ones((40, 2), "float32")


class Fourth(keras.callbacks.Callback):
    """Does it."""

    def on_train_batch_begin(self, batch, logs=None):
        if is_last and batch == 3:
            if case == "killed":
                os.kill(os.getpid(), 9)
            if case == "raises":
                raise KeyError("of the test")
            if case == "leaves":
                sys.exit(0)
            if case == "stops":
                self.model.stop_training = True


def unequal():
    """Another number of batches in each process, which nobody knows before."""
    for _ in range(5 + place.rank):
        yield x[:8], y[:8]


layers = [keras.layers.Dense(2)] * (1 + (case == "model" and is_last))
model = keras.Sequential(
    [keras.Input((3,)), *layers] if case != "model" else [keras.Input((3,)), keras.layers.Dense(2 + is_last)]
)
model.compile("sgd", "mse" if case != "model" else lambda y_true, y_pred: keras.ops.mean(y_pred))
if case == "data" and is_last:
    y = y + 1
if case == "few":
    x, y = x[:1], y[:1]
if case == "normalised":
    model = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
data = (unequal(), None) if case == "unequal" else (x, y)
model.fit(*data, batch_size=None if case == "unequal" else 8, epochs=2, verbose=2, callbacks=[Fourth()])
print("steps", int(model.optimizer.iterations.numpy()))
