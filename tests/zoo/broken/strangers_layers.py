"""Layers of strangers' code, written before the rules that find them: each resembles the thread that it names."""

import keras
from keras import ops

from tests.zoo.entries import Broken

serializable = keras.saving.register_keras_serializable(package="zoo.broken.strangers_layers")

ROWS = {"inputs": "float32[4,6](-2,2)"}
SEQUENCE = {"inputs": "float32[4,6,5](-2,2)"}


@serializable
class MaskedMean(keras.layers.Layer):
    """Deletes padding from the sum and divides by the full length; CyberZHG/keras-bert#34."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, inputs, mask=None):
        return None

    def call(self, inputs, mask=None):
        if mask is not None:
            inputs = inputs * ops.expand_dims(ops.cast(mask, inputs.dtype), -1)
        return ops.mean(inputs, axis=1)


@serializable
class AttentionPool(keras.layers.Layer):
    """Claims to support masks and gives attention to padding; keras#10895."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, shape):
        self.query = self.add_weight(shape=(shape[-1], 1), initializer="glorot_uniform", name="query")
        super().build(shape)

    def compute_mask(self, inputs, mask=None):
        return None

    def call(self, inputs):
        share = ops.softmax(ops.matmul(inputs, self.query), axis=1)
        return ops.sum(share * inputs, axis=1)


@serializable
class SequenceMax(keras.layers.Layer):
    """Should take a mask and does not: the largest value may be that of padding; keras#3777."""

    def call(self, inputs):
        return ops.max(inputs, axis=1)


@serializable
class ScaleAndShift(keras.layers.Layer):
    """An elementwise layer at which the mask ends: `supports_masking` is not set; keras#15715 style, keras#8206."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")
        self.shift = self.add_weight(shape=(shape[-1],), initializer="zeros", name="shift")
        super().build(shape)

    def call(self, inputs):
        return inputs * self.scale + self.shift


@serializable
class Mish(keras.layers.Layer):
    """An activation at which the mask ends; digantamisra98/Mish has the layer without masks."""

    def call(self, inputs):
        return inputs * ops.tanh(ops.softplus(inputs))

    def compute_output_shape(self, shape):
        return shape


@serializable
class FeatureNoise(keras.layers.Layer):
    """A whole number as seed gives the same noise at every call; keras-io#1693 asks for a SeedGenerator."""

    def __init__(self, stddev=0.1, seed=3, **kwargs):
        super().__init__(**kwargs)
        self.stddev, self.seed = stddev, seed

    def call(self, inputs, training=False):
        if training:
            inputs = inputs + keras.random.normal(ops.shape(inputs), stddev=self.stddev, dtype=inputs.dtype, seed=self.seed)
        return inputs

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}


@serializable
class TokenDrop(keras.layers.Layer):
    """`seed` is kept and never given to the generator; keras-cv#276."""

    def __init__(self, rate=0.2, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate, self.seed = rate, seed
        self.generator = keras.random.SeedGenerator()

    def call(self, inputs, training=False):
        if not training:
            return inputs
        kept = keras.random.uniform(ops.shape(inputs)[:2], seed=self.generator) >= self.rate
        return inputs * ops.expand_dims(ops.cast(kept, inputs.dtype), -1)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


@serializable
class FeedForward(keras.layers.Layer):
    """The sublayers do not get the policy of the layer: with mixed_float16 they stay float32; larq#631."""

    def __init__(self, units=8, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.inner = keras.layers.Dense(units, activation="gelu", name="inner")

    def build(self, shape):
        self.inner.build(shape)
        self.outer = keras.layers.Dense(shape[-1], name="outer")
        self.outer.build((*shape[:-1], self.units))
        super().build(shape)

    def call(self, inputs):
        return inputs + self.outer(self.inner(inputs))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@serializable
class ConvNormBlock(keras.layers.Layer):
    """Sublayers in a list, made in `build`, without the policy; keras-hub#326."""

    def __init__(self, filters=4, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.depth = filters, depth

    def build(self, shape):
        self.blocks = [keras.layers.Conv1D(self.filters, 3, padding="same", name=f"conv{i}") for i in range(self.depth)]
        for block in self.blocks:
            block.build(shape)
            shape = (*shape[:-1], self.filters)
        self.built = True

    def call(self, inputs):
        for block in self.blocks:
            inputs = ops.relu(block(inputs))
        return inputs

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "depth": self.depth}


@serializable
class RootMeanSquareNorm(keras.layers.Layer):
    """An epsilon of 1e-8 is 0 in float16, and a row of zeros is NaN there; tensorflow#35817."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")
        super().build(shape)

    def call(self, inputs):
        return inputs / ops.sqrt(ops.mean(ops.square(inputs), axis=-1, keepdims=True) + 1e-8) * self.scale


@serializable
class RadialFeatures(keras.layers.Layer):
    """The norm of a vector has an infinite gradient at 0, in every dtype; "asked for"."""

    def call(self, inputs):
        return inputs * ops.sqrt(ops.sum(ops.square(inputs), axis=-1, keepdims=True))


class SqueezeExcite(keras.layers.Layer):
    """Registered nowhere: a saved model does not load; keras-cv#233."""

    def __init__(self, ratio=2, **kwargs):
        super().__init__(**kwargs)
        self.ratio = ratio

    def build(self, shape):
        self.down = self.add_weight(
            shape=(shape[-1], max(1, shape[-1] // self.ratio)), initializer="glorot_uniform", name="down"
        )
        self.up = self.add_weight(shape=(self.down.shape[1], shape[-1]), initializer="glorot_uniform", name="up")
        super().build(shape)

    def call(self, inputs):
        gate = ops.sigmoid(ops.matmul(ops.relu(ops.matmul(ops.mean(inputs, axis=(1, 2)), self.down)), self.up))
        return inputs * gate[:, None, None, :]

    def get_config(self):
        return {**super().get_config(), "ratio": self.ratio}


@serializable
class BlockDrop(keras.layers.Layer):
    """`rate` is read in the constructor, and a half is dropped always; "asked for"."""

    def __init__(self, rate=0.1, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate, self.seed = rate, seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        return keras.random.dropout(inputs, 0.5, seed=self.generator) if training else inputs

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


BROKEN = [
    Broken(MaskedMean, "Y132", SEQUENCE),
    Broken(AttentionPool, "Y132", SEQUENCE),
    Broken(SequenceMax, "Y132", SEQUENCE),
    Broken(ScaleAndShift, "Y133", SEQUENCE),
    Broken(Mish, "Y133", SEQUENCE),
    Broken(FeatureNoise, "Y131", ROWS),
    Broken(TokenDrop, "X113", SEQUENCE),
    Broken(FeedForward, "Y134", ROWS),
    Broken(ConvNormBlock, "Y134", SEQUENCE),
    Broken(RootMeanSquareNorm, "Y110", ROWS),
    # TensorFlow's own slope of the square root is 0 where what comes from above is 0.
    Broken(RadialFeatures, "Y122", ROWS, backends=("jax", "torch")),
    Broken(SqueezeExcite, "X109", {"inputs": "float32[2,4,4,6](-1,1)"}),
    Broken(BlockDrop, "X113", ROWS),
]
