"""Right layers that draw random numbers."""

import keras
from keras import ops

from tests.zoo.entries import Right

register = keras.saving.register_keras_serializable(package="zoo")


@register
class SeededNoise(keras.layers.Layer):
    """Noise in training only, from a `SeedGenerator` that belongs to the layer."""

    def __init__(self, stddev=0.1, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.stddev, self.seed = stddev, seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        if not training:
            return inputs
        return inputs + keras.random.normal(ops.shape(inputs), stddev=self.stddev, dtype=inputs.dtype, seed=self.generator)

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}


@register
class MonteCarloDropout(keras.layers.Layer):
    """Dropout that stays at inference, for the uncertainty of a prediction (Gal and Ghahramani, 2016)."""

    def __init__(self, rate=0.5, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate, self.seed = rate, seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, inputs):
        return keras.random.dropout(inputs, self.rate, seed=self.generator)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


@register
class Sample(keras.layers.Layer):
    """Draws from a normal distribution of given mean and log variance and adds the Kullback-Leibler term with `add_loss`."""

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, inputs):
        mean, log_variance = inputs
        self.add_loss(-0.5 * ops.mean(1.0 + log_variance - ops.square(mean) - ops.exp(log_variance)))
        noise = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self.generator)
        return mean + ops.exp(0.5 * log_variance) * noise

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


@register
class DropSameChannels(keras.layers.Layer):
    """One mask for the whole batch, on purpose: all samples lose the same channels."""

    def __init__(self, rate=0.3, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate, self.seed = rate, seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        if not training:
            return inputs
        kept = keras.random.uniform((1, inputs.shape[-1]), seed=self.generator) >= self.rate
        return inputs * ops.cast(kept, inputs.dtype) / (1.0 - self.rate)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


_VECTORS = {"inputs": "float32[4,8]"}

RIGHT = [
    Right(SeededNoise, like=_VECTORS, note="stochastic in training"),
    Right(MonteCarloDropout, like=_VECTORS, contract={"deterministic": False}, note="stochastic at inference"),
    Right(
        Sample,
        like={"inputs": ["float32[4,8]", "float32[4,8](-1,1)"]},
        contract={"deterministic": False},
        note="stochastic always, adds a loss",
    ),
    Right(DropSameChannels, like=_VECTORS, contract={"random_per_sample": False}, note="noise shared by the batch"),
]
