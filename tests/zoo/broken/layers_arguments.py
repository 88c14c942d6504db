"""Layers whose arguments do not arrive."""

import keras
from keras import ops

from tests.zoo.entries import Broken

register = keras.saving.register_keras_serializable(package="zoo")


@register
def scaled_tanh(x):
    """An activation of one's own, registered."""
    return 1.7159 * ops.tanh(x * (2.0 / 3.0))


@register
class ActivationByName(keras.layers.Layer):
    """Saves the `__name__` of its activation: one's own is not found again. Source: keras-team/keras 8636, 3380."""

    def __init__(self, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.activation = keras.activations.get(activation)

    def call(self, inputs):
        return self.activation(inputs)

    def get_config(self):
        return {**super().get_config(), "activation": self.activation.__name__}


@register
class UnusedRegulariser(keras.layers.Layer):
    """Takes a regulariser and never gives it to the weight. Source: keras-team/keras 19820 (a regulariser lost without a
    word)."""

    def __init__(self, kernel_regularizer=None, **kwargs):
        super().__init__(**kwargs)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="kernel")

    def call(self, inputs):
        return inputs * self.kernel

    def get_config(self):
        return {**super().get_config(), "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer)}


@register
class RegulariserNotSaved(keras.layers.Layer):
    """The regulariser is not in the config: gone after loading. Source: keras-team/keras 19820, tensorflow/tensorflow
    39900."""

    def __init__(self, kernel_regularizer=None, **kwargs):
        super().__init__(**kwargs)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1],), initializer="ones", regularizer=self.kernel_regularizer, name="kernel"
        )

    def call(self, inputs):
        return inputs * self.kernel

    def get_config(self):
        return super().get_config()


_VECTORS = {"inputs": "float32[4,8]"}

BROKEN = [
    Broken(ActivationByName, check="Y109", like=_VECTORS, init={"activation": scaled_tanh}),
    Broken(UnusedRegulariser, check="Y121", like=_VECTORS, init={"kernel_regularizer": "l2"}),
    Broken(RegulariserNotSaved, check="Y121", like=_VECTORS, init={"kernel_regularizer": "l2"}),
]
