"""Right layers that use masks, or have gradients and dtypes of their own."""

import keras
from keras import ops

from tests.zoo.entries import Right

register = keras.saving.register_keras_serializable(package="zoo")


@register
class MaskedMean(keras.layers.Layer):
    """Uses the mask up: the mean over the real steps has no time axis, hence no mask."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return ops.mean(inputs, axis=1)
        weights = ops.expand_dims(ops.cast(mask, inputs.dtype), axis=-1)
        return ops.sum(inputs * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1.0)

    def compute_mask(self, inputs, mask=None):
        return None


@register
class EveryOtherStep(keras.layers.Layer):
    """Drops every other step, of the mask too."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs):
        return inputs[:, ::2]

    def compute_mask(self, inputs, previous_mask=None):
        return None if previous_mask is None else previous_mask[:, ::2]


@register
class TokenTable(keras.layers.Layer):
    """Integers in, vectors out: no gradient to the inputs can exist; makes a mask of the zeros."""

    def __init__(self, words=10, units=4, **kwargs):
        super().__init__(**kwargs)
        self.words, self.units = words, units
        self.supports_masking = True

    def build(self, input_shape):
        self.table = self.add_weight(shape=(self.words, self.units), initializer="random_normal", name="table")

    def call(self, inputs):
        return ops.take(self.table, ops.cast(inputs, "int32"), axis=0)

    def compute_mask(self, inputs, previous_mask=None):
        return ops.not_equal(inputs, 0)

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.units)

    def get_config(self):
        return {**super().get_config(), "words": self.words, "units": self.units}


@register
class RoundStraightThrough(keras.layers.Layer):
    """Rounds, and passes the gradient on as if it did not (straight-through estimator; Bengio et al., 2013)."""

    def __init__(self, levels=8, **kwargs):
        super().__init__(**kwargs)
        self.levels = levels

    def call(self, inputs):
        rounded = ops.round(inputs * self.levels) / self.levels
        return inputs + ops.stop_gradient(rounded - inputs)

    def get_config(self):
        return {**super().get_config(), "levels": self.levels}


@register
class ReverseGradient(keras.layers.Layer):
    """The identity, with the gradient times -strength (Ganin and Lempitsky, 2015)."""

    def __init__(self, strength=1.0, **kwargs):
        super().__init__(**kwargs)
        self.strength = strength

    def call(self, inputs):
        return ops.stop_gradient((1.0 + self.strength) * inputs) - self.strength * inputs

    def get_config(self):
        return {**super().get_config(), "strength": self.strength}


@register
class Float32Softmax(keras.layers.Layer):
    """Computes in float32 by its own dtype, whatever the policy is: the last layer of a model in half precision."""

    def __init__(self, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)

    def call(self, inputs):
        return ops.softmax(inputs, axis=-1)


@register
class SafeNorm(keras.layers.Layer):
    """Takes the norm in float32 and answers in the dtype it was given: no overflow in half precision."""

    def call(self, inputs):
        values = ops.cast(inputs, "float32")
        norm = ops.sqrt(ops.sum(ops.square(values), axis=-1, keepdims=True) + 1e-6)
        return ops.cast(values / norm, inputs.dtype)


_VECTORS = {"inputs": "float32[4,8]"}
_MASKED = {"inputs": "float32[4,6,3]", "mask": "bool[4,6]"}

RIGHT = [
    Right(MaskedMean, like=_MASKED, note="consumes the mask"),
    Right(EveryOtherStep, like=_MASKED, note="shortens the mask with the steps; no compute_output_shape"),
    Right(TokenTable, like={"inputs": "int32[4,6]{0,9}"}, note="integers in; makes a mask"),
    Right(RoundStraightThrough, like=_VECTORS, contract={"exact_gradient": False}, note="gradient is not that of the value"),
    Right(ReverseGradient, like=_VECTORS, contract={"exact_gradient": False}, note="gradient has the other sign"),
    Right(Float32Softmax, like=_VECTORS, contract={"output_dtype": "float32"}, note="ignores the policy on purpose"),
    Right(SafeNorm, like=_VECTORS, note="casts to float32 and back"),
]
