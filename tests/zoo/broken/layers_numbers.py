"""Layers whose values or gradients are wrong."""

from contextlib import suppress

import keras
from keras import ops

from tests.zoo.entries import Broken

register = keras.saving.register_keras_serializable(package="zoo")


@register
class HalfNorm(keras.layers.Layer):
    """Squares in the dtype of the inputs: values above 256 overflow in float16. Source: keras-team/keras-core 866
    (moments in float16)."""

    def call(self, inputs):
        norm = ops.sqrt(ops.sum(ops.square(inputs), axis=-1, keepdims=True) + 1e-3)
        return inputs / norm


@register
class Float32Output(keras.layers.Layer):
    """Answers in float32 under a float16 policy: the next operation mixes two dtypes. Source: tensorflow/tensorflow 41614."""

    def call(self, inputs):
        return ops.tanh(ops.cast(inputs, "float32"))


@register
class HalfStatistics(keras.layers.Layer):
    """Updates its running mean in the compute dtype: in half precision small steps are rounded away. Source:
    keras-team/keras-core 866 (moments in float16)."""

    def build(self, input_shape):
        self.mean = self.add_weight(shape=(input_shape[-1],), initializer="zeros", trainable=False, name="mean")

    def call(self, inputs, training=False):
        outputs = inputs - self.mean
        if training and self.trainable:
            self.mean.assign(0.999 * self.mean + 0.001 * ops.mean(inputs, axis=0))
        return outputs


@register
class Quantise(keras.layers.Layer):
    """Rounds: the gradient to everything before it is zero. Source: tensorflow/tensorflow 43916 (a
    gradient of its own is needed)."""

    def __init__(self, levels=8, **kwargs):
        super().__init__(**kwargs)
        self.levels = levels

    def call(self, inputs):
        return ops.round(inputs * self.levels) / self.levels

    def get_config(self):
        return {**super().get_config(), "levels": self.levels}


@register
class HardGate(keras.layers.Layer):
    """Chooses an expert by argmax: the gate never gets a gradient. Source: keras-team/keras 13941
    (weights that never move)."""

    def __init__(self, experts=3, **kwargs):
        super().__init__(**kwargs)
        self.experts = experts

    def build(self, input_shape):
        width = input_shape[-1]
        self.gate = self.add_weight(shape=(width, self.experts), initializer="glorot_uniform", name="gate")
        self.scales = self.add_weight(shape=(self.experts, width), initializer="random_normal", name="scales")

    def call(self, inputs):
        chosen = ops.argmax(ops.matmul(inputs, self.gate), axis=-1)
        return inputs * ops.take(self.scales, chosen, axis=0)

    def get_config(self):
        return {**super().get_config(), "experts": self.experts}


@register
class Squash(keras.layers.Layer):
    """Finite value, NaN gradient at a zero vector (square root at 0). Source: ageron/handson-ml 173,
    jindongwang/Pytorch-CapsuleNet 7."""

    def call(self, inputs):
        squared = ops.sum(ops.square(inputs), axis=-1, keepdims=True)
        return inputs * ops.sqrt(squared) / (1.0 + squared)


@register
class MaxNormDense(keras.layers.Layer):
    """Limits the norm of its kernel when it can read it; under jit it cannot, and nothing is limited. Source:
    tensorflow/tensorflow 51351 (values read in `call`), keras-team/keras 19732."""

    def __init__(self, units=4, limit=1.0, **kwargs):
        super().__init__(**kwargs)
        self.units, self.limit = units, limit

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="ones", name="kernel")

    def call(self, inputs):
        factor = 1.0
        with suppress(Exception):
            factor = min(1.0, self.limit / float(ops.norm(self.kernel)))
        return ops.matmul(inputs, self.kernel * factor)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "limit": self.limit}


@register
class Standardise(keras.layers.Layer):
    """Divides by the root of `torch.var` on torch (n - 1) and by the population value (n) elsewhere. Source:
    leviswind/pytorch-transformer 2, FluxML/Flux.jl 529."""

    def call(self, inputs):
        centred = inputs - ops.mean(inputs, axis=-1, keepdims=True)
        if keras.backend.backend() == "torch":
            return centred / ops.sqrt(inputs.var(dim=-1, keepdim=True) + 1e-3)
        return centred / ops.sqrt(ops.var(inputs, axis=-1, keepdims=True) + 1e-3)


_VECTORS = {"inputs": "float32[4,8]"}

BROKEN = [
    Broken(HalfNorm, check="Y110", like={"inputs": "float32[4,8](-1000,1000)"}),
    Broken(Float32Output, check="Y123", like=_VECTORS, note="output_dtype"),
    Broken(HalfStatistics, check="Y127", like=_VECTORS, note="half_state"),
    Broken(Quantise, check="Y114", like=_VECTORS),
    Broken(HardGate, check="Y114", like=_VECTORS),
    Broken(Squash, check="Y122", like=_VECTORS, backends=("jax", "torch"), note="TensorFlow: slope 0 there"),
    Broken(MaxNormDense, check="Y113", like=_VECTORS, backends=("tensorflow", "jax"), note="torch does not compile by itself"),
    Broken(Standardise, check="Y117", like=_VECTORS, note="needs two backends, torch among them"),
]
