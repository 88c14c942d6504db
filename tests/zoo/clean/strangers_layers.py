"""Layers of strangers' code that look odd and are right, undeclared."""

import keras
import numpy as np
from keras import ops

from tests.zoo.entries import Right

serializable = keras.saving.register_keras_serializable(package="right_strangers_layers")


@serializable
class MinimalCell(keras.layers.Layer):
    """A cell for `keras.layers.RNN`: it takes states and returns them."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units
        self.output_size = units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform", name="kernel")
        self.recurrent = self.add_weight(shape=(self.units, self.units), initializer="orthogonal", name="recurrent")
        super().build(shape)

    def call(self, inputs, states):
        (before,) = states
        now = ops.tanh(ops.matmul(inputs, self.kernel) + ops.matmul(before, self.recurrent))
        return now, [now]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@serializable
class PeepholeCell(keras.layers.Layer):
    """A cell with two states and dropout arguments, as in tensorflow-addons."""

    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units, units]
        self.output_size = units

    def build(self, shape):
        self.kernel = self.add_weight(
            shape=(shape[-1] + self.units, 4 * self.units), initializer="glorot_uniform", name="kernel"
        )
        self.bias = self.add_weight(shape=(4 * self.units,), initializer="zeros", name="bias")
        super().build(shape)

    def call(self, inputs, states, training=False):
        hidden, carry = states
        gates = ops.matmul(ops.concatenate([inputs, hidden], axis=-1), self.kernel) + self.bias
        i, f, c, o = ops.split(gates, 4, axis=-1)
        carry = ops.sigmoid(f) * carry + ops.sigmoid(i) * ops.tanh(c)
        hidden = ops.sigmoid(o) * ops.tanh(carry)
        return hidden, [hidden, carry]

    def get_initial_state(self, batch_size=None):
        return [ops.zeros((batch_size, self.units), dtype=self.compute_dtype) for _ in range(2)]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@serializable
class Sampling(keras.layers.Layer):
    """The sampling of a VAE (keras.io): draws at inference too, on purpose."""

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs):
        mean, log_variance = inputs
        return mean + ops.exp(0.5 * log_variance) * keras.random.normal(
            ops.shape(mean), dtype=mean.dtype, seed=self.seed_generator
        )

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


@serializable
class MonteCarloDropout(keras.layers.Dropout):
    """Dropout that is on at inference: the usual way to ask a network how sure it is."""

    def call(self, inputs, training=False):
        return super().call(inputs, training=True)


@serializable
class Reversal(keras.layers.Layer):
    """The gradient is turned on purpose (domain adversarial training): the value is the input."""

    def __init__(self, strength=1.0, **kwargs):
        super().__init__(**kwargs)
        self.strength = strength

    def call(self, inputs):
        return ops.stop_gradient((1.0 + self.strength) * inputs) - self.strength * inputs

    def get_config(self):
        return {**super().get_config(), "strength": self.strength}


@serializable
class MovingCentre(keras.layers.Layer):
    """Keeps a moving mean of what it sees in training, as batch normalisation does."""

    def build(self, shape):
        self.centre = self.add_weight(shape=(shape[-1],), initializer="zeros", trainable=False, name="centre")
        super().build(shape)

    def call(self, inputs, training=False):
        if training and self.trainable:
            mean = ops.mean(ops.cast(inputs, self.centre.dtype), axis=tuple(range(len(inputs.shape) - 1)))
            self.centre.assign(0.9 * self.centre + 0.1 * mean)
        return inputs - ops.cast(self.centre, inputs.dtype)


@serializable
class CallCounter(keras.layers.Layer):
    """Counts its calls at inference too: state by design, as Keras' guide on layers has it (ComputeSum)."""

    def __init__(self, width=6, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.total = self.add_weight(shape=(width,), initializer="zeros", trainable=False, name="total")

    def call(self, inputs):
        self.total.assign_add(ops.sum(ops.cast(inputs, self.total.dtype), axis=0))
        return ops.cast(self.total, self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "width": self.width}


@serializable
class SinePositions(keras.layers.Layer):
    """A table of sines that NumPy computes: it is no weight, for nothing learns it."""

    def call(self, inputs):
        length, width = inputs.shape[1], inputs.shape[2]
        angle = np.arange(length)[:, None] / 10000.0 ** (2 * (np.arange(width)[None] // 2) / width)
        table = np.where(np.arange(width)[None] % 2 == 0, np.sin(angle), np.cos(angle))
        return inputs + ops.convert_to_tensor(table, dtype=inputs.dtype)

    def compute_mask(self, inputs, mask=None):
        return mask


RIGHT = [
    Right(MinimalCell, note="cell, nothing declared"),
    Right(PeepholeCell, note="cell of two states"),
    Right(Sampling, {"inputs": ["float32[4,3](-2,2)", "float32[4,3](-1,1)"]}, note="draws at inference, undeclared"),
    Right(MonteCarloDropout, {"inputs": "float32[4,6](-2,2)"}, {"rate": 0.3}, note="dropout at inference, undeclared"),
    Right(Reversal, {"inputs": "float32[4,6](-2,2)"}, note="gradient turned"),
    Right(MovingCentre, {"inputs": "float32[4,6](-2,2)"}, note="state"),
    Right(CallCounter, {"inputs": "float32[4,6](-2,2)"}, note="state at inference, undeclared"),
    Right(SinePositions, {"inputs": "float32[2,5,4](-2,2)"}, note="table by NumPy"),
]
