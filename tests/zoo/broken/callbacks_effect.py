"""Callbacks whose effect on the training is not the intended one."""

import random

import keras
import numpy as np

from tests.zoo.entries import Broken


class KernelNorms(keras.callbacks.Callback):
    """Reads all weights after every batch: on JAX each access copies the state back (6 to 8 times slower). Source:
    tensorflow/tensorflow 37876, keras-team/keras 608; measured."""

    def on_train_begin(self, logs=None):
        self.largest = 0.0

    def on_train_batch_end(self, batch, logs=None):
        norms = [float(np.linalg.norm(weight)) for weight in self.model.get_weights()]
        self.largest = max([self.largest, *norms])

    def on_train_end(self, logs=None):
        print(f"largest norm of a weight: {self.largest:.3f}")

    def state_dict(self):
        return {"largest": self.largest}

    def load_state_dict(self, state):
        self.largest = state["largest"]


class HalveRate(keras.callbacks.Callback):
    """Sets `optimizer.lr`, a name of Keras 2: Keras 3 keeps it as a new attribute that nothing reads. Source: tensorflow/docs
    2328, asked for: "cosine annealing"."""

    def __init__(self, start=0.01, every=10):
        super().__init__()
        self.start, self.every = start, every

    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.lr = self.start * 0.5 ** (epoch // self.every)


class BackendRate(keras.callbacks.Callback):
    """`keras.backend.set_value` does not exist in Keras 3: AttributeError. Source: keras-team/keras 19148."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch >= 1:
            keras.backend.set_value(self.model.optimizer.learning_rate, 0.01 / (1 + epoch))


class StopOnNaN(keras.callbacks.Callback):
    """Sets `stop_training` on itself instead of on the model: training goes on. Source: tensorflow/tensorflow 41174 (the right
    attribute); the page "Callbacks" of keydnn documents `self.stop_training`, as other libraries do."""

    def on_epoch_end(self, epoch, logs=None):
        if not np.isfinite((logs or {}).get("loss", 0.0)):
            self.stop_training = True


class ModelRate(keras.callbacks.Callback):
    """Sets `model.learning_rate`, which the optimizer never reads. Asked for: "cosine annealing" (a rate that is
    never used)."""

    def __init__(self, rates=(0.1, 0.01, 0.001)):
        super().__init__()
        self.rates = rates

    def on_epoch_begin(self, epoch, logs=None):
        self.model.learning_rate = self.rates[min(epoch, len(self.rates) - 1)]


class RatePerStepOnJax(keras.callbacks.Callback):
    """Sets the rate of each step on an optimizer that it kept: on JAX the rate is in the state that the steps hand on, and
    this one is never read (`self.model` would have synchronised it). Asked for: "cosine annealing"; keras JAX
    trainer (`_jax_state_synced`)."""

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


class Unfreeze(keras.callbacks.Callback):
    """Sets `layer.trainable` in the middle of `fit`: the compiled step keeps the old list of variables. Source:
    tensorflow/tensorflow 47906, nasa/delta 58."""

    def __init__(self, at_epoch=1):
        super().__init__()
        self.at_epoch = at_epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.at_epoch:
            for layer in self.model.layers:
                layer.trainable = not layer.trainable


class Resampler(keras.callbacks.Callback):
    """Rebinds its own `dataset` every few epochs: `fit` never reads it, every sample is seen equally often. Asked
    for: "dynamic sampler"; rstudio/keras3 372 asks for it."""

    def __init__(self, x, y, every=1, seed=0):
        super().__init__()
        self.x, self.y, self.every, self.seed = np.asarray(x), np.asarray(y), every, seed
        self.dataset = (self.x, self.y)

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0:
            error = np.abs(self.model.predict(self.x, verbose=0) - self.y).reshape(len(self.x), -1).mean(axis=1)
            rng = np.random.default_rng([self.seed, epoch])
            chosen = rng.choice(len(self.x), size=len(self.x), p=error / error.sum() if error.sum() else None)
            self.dataset = (self.x[chosen], self.y[chosen])


class MoreEpochs(keras.callbacks.Callback):
    """Raises `params["epochs"]` to train longer: `fit` counts its own epochs. Source: keras-team/keras 13038 (wants the number
    of steps changed during `fit`)."""

    def __init__(self, target=0.05, extra=5):
        super().__init__()
        self.target, self.extra = target, extra

    def on_epoch_end(self, epoch, logs=None):
        if (logs or {}).get("loss", 0.0) > self.target and epoch + 1 == self.params["epochs"]:
            self.params["epochs"] += self.extra


class MidEpochValidation(keras.callbacks.Callback):
    """`evaluate` in the middle of an epoch resets the training metrics. Source: keras-team/keras 16526, tensorflow/tensorflow
    42994."""

    def __init__(self, x, y, every=2):
        super().__init__()
        self.x, self.y, self.every = x, y, every

    def on_train_batch_end(self, batch, logs=None):
        if (batch + 1) % self.every == 0:
            values = self.model.evaluate(self.x, self.y, verbose=0, return_dict=True)
            print(f"batch {batch + 1}: {values}")


class SamplePicker(keras.callbacks.Callback):
    """Seeds the global generators to draw the same pictures each epoch: shuffling and dropout repeat too. Asked for:
    "correct under resume"; measured (one permutation in every epoch)."""

    def __init__(self, names, count=2):
        super().__init__()
        self.names, self.count = list(names), count

    def on_epoch_begin(self, epoch, logs=None):
        keras.utils.set_random_seed(0)
        print("pictures of this epoch:", random.sample(self.names, self.count))


class AsyncMean(keras.callbacks.Callback):
    """Declares `async_safe` and keeps a running sum without a lock: batches are handled in several threads. Source: keras
    CallbackList (a pool of threads is used when all callbacks are `async_safe`)."""

    async_safe = True

    def on_epoch_begin(self, epoch, logs=None):
        self.total, self.count = 0.0, 0

    def on_train_batch_end(self, batch, logs=None):
        total = self.total + (logs or {}).get("loss", 0.0)
        self.count += 1
        self.total = total


_DATA = {"x": np.linspace(-1, 1, 32, dtype="float32").reshape(8, 4), "y": np.linspace(0, 1, 8, dtype="float32").reshape(8, 1)}

BROKEN = [
    Broken(KernelNorms, check="C109"),
    Broken(HalveRate, check="C110"),
    Broken(BackendRate, check="C110"),
    Broken(StopOnNaN, check="C117"),
    Broken(ModelRate, check="C111"),
    Broken(RatePerStepOnJax, check="C111", backends=("jax",), note="right on the other two: RatePerStep in right_callbacks"),
    Broken(Unfreeze, check="C111", backends=("tensorflow", "jax"), note="torch reads the list each step"),
    Broken(Resampler, check="C112", init=_DATA),
    Broken(MoreEpochs, check="C112"),
    Broken(MidEpochValidation, check="C113", init=_DATA),
    Broken(SamplePicker, check="C113", init={"names": ["a.png", "b.png", "c.png"]}),
    Broken(AsyncMean, check="C119"),
]
