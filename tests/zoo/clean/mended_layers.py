"""Layers of `broken.strangers_layers` after the `fix` of their finding, as it is written there, was applied by hand."""

import keras
from keras import ops

from tests.zoo.broken import strangers_layers as broken
from tests.zoo.entries import Right

serializable = keras.saving.register_keras_serializable(package="mended_layers")


@serializable
class MaskedMean(broken.MaskedMean):
    """Divided by the number of steps that count."""

    def call(self, inputs, mask=None):
        if mask is None:
            return ops.mean(inputs, axis=1)
        mask = ops.expand_dims(ops.cast(mask, inputs.dtype), -1)
        return ops.sum(inputs * mask, axis=1) / ops.maximum(ops.sum(mask, axis=1), 1.0)


@serializable
class AttentionPool(broken.AttentionPool):
    """Padded steps get no attention."""

    def call(self, inputs, mask=None):
        score = ops.matmul(inputs, self.query)
        if mask is not None:
            score = ops.where(ops.expand_dims(mask, -1), score, ops.cast(-1e4, score.dtype))
        return ops.sum(ops.softmax(score, axis=1) * inputs, axis=1)


@serializable
class SequenceMax(keras.layers.Layer):
    """Padded steps are below all others."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, inputs, mask=None):
        return None

    def call(self, inputs, mask=None):
        if mask is not None:
            inputs = ops.where(ops.expand_dims(mask, -1), inputs, ops.cast(-6e4, inputs.dtype))
        return ops.max(inputs, axis=1)


@serializable
class ScaleAndShift(broken.ScaleAndShift):
    """The mask is passed on."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True


@serializable
class FeatureNoise(broken.FeatureNoise):
    """Draws from a generator of its own."""

    def __init__(self, stddev=0.1, seed=3, **kwargs):
        super().__init__(stddev, seed, **kwargs)
        self.supports_masking = True
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        if training:
            noise = keras.random.normal(ops.shape(inputs), dtype=inputs.dtype, seed=self.seed_generator)
            inputs = inputs + self.stddev * noise
        return inputs


@serializable
class TokenDrop(keras.layers.Layer):
    """The generator gets the seed."""

    def __init__(self, rate=0.2, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.rate, self.seed = rate, seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        if not training:
            return inputs
        valid = keras.random.uniform(ops.shape(inputs)[:2], seed=self.generator) >= self.rate
        return inputs * ops.expand_dims(ops.cast(valid, inputs.dtype), -1)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


@serializable
class FeedForward(keras.layers.Layer):
    """Sub-layers get the policy."""

    def __init__(self, units=8, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.units = units
        self.inner = keras.layers.Dense(units, activation="gelu", name="inner", dtype=self.dtype_policy)

    def build(self, shape):
        self.inner.build(shape)
        self.outer = keras.layers.Dense(shape[-1], name="outer", dtype=self.dtype_policy)
        self.outer.build((*shape[:-1], self.units))
        super().build(shape)

    def call(self, inputs):
        return inputs + self.outer(self.inner(inputs))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@serializable
class RootMeanSquareNorm(broken.RootMeanSquareNorm):
    """Computed in float32, and cast back."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        x = x / ops.sqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + 1e-7)
        return ops.cast(x, inputs.dtype) * self.scale


@serializable
class RadialFeatures(keras.layers.Layer):
    """A small number under the root."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        return ops.cast(x * ops.sqrt(ops.sum(ops.square(x), axis=-1, keepdims=True) + 1e-6), inputs.dtype)


@serializable
class SqueezeExcite(broken.SqueezeExcite):
    """Registered."""


RIGHT = [
    Right(MaskedMean, broken.SEQUENCE, note="Y132"),
    Right(AttentionPool, broken.SEQUENCE, note="Y132"),
    Right(SequenceMax, broken.SEQUENCE, note="Y132"),
    Right(ScaleAndShift, broken.SEQUENCE, note="Y133"),
    Right(FeatureNoise, broken.ROWS, note="Y131"),
    Right(TokenDrop, broken.SEQUENCE, note="X113"),
    Right(FeedForward, broken.ROWS, note="Y134"),
    Right(RootMeanSquareNorm, broken.ROWS, note="Y110"),
    Right(RadialFeatures, broken.ROWS, note="Y122"),
    Right(SqueezeExcite, {"inputs": "float32[2,4,4,6](-1,1)"}, note="X109"),
]
