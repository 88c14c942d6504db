"""Layers that mistake training for inference, or draw their numbers from the wrong place."""

import keras
import numpy as np
from keras import ops

from tests.zoo.entries import Broken

register = keras.saving.register_keras_serializable(package="zoo")


@register
class AlwaysNoise(keras.layers.Layer):
    """Has no `training`: the noise stays at inference. Source: keras-team/keras 9561, 18129."""

    def __init__(self, stddev=0.1, seed=7, **kwargs):
        super().__init__(**kwargs)
        self.stddev, self.seed = stddev, seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, inputs):
        return inputs + keras.random.normal(ops.shape(inputs), stddev=self.stddev, dtype=inputs.dtype, seed=self.generator)

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}


@register
class AlwaysUpdates(keras.layers.Layer):
    """Updates its running mean at inference too: `predict` changes the model. Source: keras-team/keras 488, 9965."""

    def __init__(self, momentum=0.9, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum

    def build(self, input_shape):
        self.mean = self.add_weight(
            shape=(input_shape[-1],), initializer="zeros", trainable=False, autocast=False, name="mean"
        )

    def call(self, inputs):
        outputs = inputs - ops.cast(self.mean, inputs.dtype)
        batch = ops.mean(ops.cast(inputs, self.mean.dtype), axis=0)
        self.mean.assign(self.momentum * self.mean + (1.0 - self.momentum) * batch)
        return outputs

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


@register
class UnseededNoise(keras.layers.Layer):
    """Random numbers without a `SeedGenerator`: not reproducible, one draw for ever inside a jit. Source:
    keras-team/keras-core 650, keras-team/keras-io 1693."""

    def __init__(self, stddev=0.1, **kwargs):
        super().__init__(**kwargs)
        self.stddev = stddev

    def call(self, inputs, training=False):
        if not training:
            return inputs
        return inputs + keras.random.normal(ops.shape(inputs), stddev=self.stddev, dtype=inputs.dtype)

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev}


@register
class NumpyNoise(keras.layers.Layer):
    """Draws with NumPy while the call is traced: the same factors in every step. Source: keras-team/keras-core 650."""

    def call(self, inputs, training=False):
        if not training:
            return inputs
        factors = np.random.uniform(0.9, 1.1, size=(inputs.shape[-1],))  # noqa: NPY002
        return inputs * ops.convert_to_tensor(factors, dtype=inputs.dtype)


@register
class SharedDropout(keras.layers.Layer):
    """One dropout mask for the whole batch. Source: keras-team/keras 9841, 217."""

    def __init__(self, rate=0.5, seed=7, **kwargs):
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

BROKEN = [
    Broken(AlwaysNoise, check="Y104", like=_VECTORS),
    Broken(AlwaysUpdates, check="Y104", like=_VECTORS),
    Broken(UnseededNoise, check="Y105", like=_VECTORS),
    Broken(NumpyNoise, check="Y130", like=_VECTORS),
    Broken(SharedDropout, check="Y120", like=_VECTORS),
]
