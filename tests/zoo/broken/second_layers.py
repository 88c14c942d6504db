"""A second handful of strangers' layers, asked once the checks of the first were written."""

import keras
from keras import ops

from tests.zoo.entries import Broken

serializable = keras.saving.register_keras_serializable(package="zoo.broken.second_layers")

SEQUENCE = {"inputs": "float32[4,6,5](-2,2)"}


@serializable
class StandardisedSteps(keras.layers.Layer):
    """Mean and spread over all steps, with padding, although the mask is taken; keras#3777."""

    def call(self, inputs, mask=None):
        centre = ops.mean(inputs, axis=1, keepdims=True)
        spread = ops.std(inputs, axis=1, keepdims=True)
        result = (inputs - centre) / (spread + 1e-3)
        if mask is not None:
            result = result * ops.cast(ops.expand_dims(mask, -1), result.dtype)
        return result


@serializable
class Gate(keras.layers.Layer):
    """A dense gate for each step at which the mask ends; the sublayer has no policy."""

    def build(self, shape):
        self.dense = keras.layers.Dense(shape[-1], activation="sigmoid", name="gate")
        self.dense.build(shape)
        super().build(shape)

    def call(self, inputs):
        return inputs * self.dense(inputs)


@serializable
class MixUp(keras.layers.Layer):
    """The shares are drawn by `keras.random.beta` with one key; keras-io#1693."""

    def __init__(self, alpha=0.4, **kwargs):
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs, training=False):
        if not training:
            return inputs
        share = keras.random.beta((ops.shape(inputs)[0], 1, 1), self.alpha, self.alpha, seed=1337)
        return share * inputs + (1.0 - share) * ops.flip(inputs, axis=1)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha}


BROKEN = [
    Broken(StandardisedSteps, "Y132", SEQUENCE),
    Broken(Gate, "Y134", SEQUENCE),
    Broken(MixUp, "Y131", SEQUENCE),
]
