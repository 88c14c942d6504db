"""A second handful of right layers in the styles of strangers."""

import keras
from keras import ops

from tests.zoo.entries import Right

serializable = keras.saving.register_keras_serializable(package="right_second_layers")


@serializable
class FourierFeatures(keras.layers.Layer):
    """A random projection that never changes: a fixed seed is meant, at inference too."""

    def __init__(self, features=6, **kwargs):
        super().__init__(**kwargs)
        self.features = features

    def build(self, shape):
        initializer = keras.initializers.RandomNormal(seed=11)
        self.frequencies = self.add_weight(
            shape=(shape[-1], self.features), initializer=initializer, trainable=False, name="frequencies"
        )
        super().build(shape)

    def call(self, inputs):
        angle = ops.matmul(inputs, self.frequencies)
        return ops.concatenate([ops.sin(angle), ops.cos(angle)], axis=-1)

    def get_config(self):
        return {**super().get_config(), "features": self.features}


@serializable
class TransformerBlock(keras.layers.Layer):
    """keras.io style: sub-layers are made in the constructor, masks go through the attention by themselves."""

    def __init__(self, heads=2, width=8, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.heads, self.width, self.rate = heads, width, rate
        self.attention = keras.layers.MultiHeadAttention(heads, width // heads, dtype=self.dtype_policy)
        self.feed = keras.layers.Dense(width, activation="relu", dtype=self.dtype_policy)
        self.norm = keras.layers.LayerNormalization(epsilon=1e-4, dtype=self.dtype_policy)
        self.drop = keras.layers.Dropout(rate, seed=5, dtype=self.dtype_policy)

    def build(self, shape):
        self.attention.build(shape, shape)
        self.norm.build(shape)
        self.feed.build(shape)
        super().build(shape)

    def call(self, inputs, training=False, mask=None):
        both = None if mask is None else mask[:, None, :]
        x = inputs + self.drop(self.attention(inputs, inputs, attention_mask=both), training=training)
        return self.feed(self.norm(x))

    def get_config(self):
        return {**super().get_config(), "heads": self.heads, "width": self.width, "rate": self.rate}


RIGHT = [
    Right(FourierFeatures, {"inputs": "float32[4,3](-1,1)"}, note="fixed projection"),
    Right(TransformerBlock, {"inputs": "float32[3,5,8](-1,1)", "mask": "bool[3,5]"}, note="masks through an attention"),
]
