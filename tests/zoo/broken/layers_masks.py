"""Layers that ignore, lose or bend the mask."""

import keras
from keras import ops

from tests.zoo.entries import Broken

register = keras.saving.register_keras_serializable(package="zoo")


@register
class Swish(keras.layers.Layer):
    """Keeps the time axis, but has no `supports_masking`: the mask ends here. Source: abr/keras-lmu 36."""

    def call(self, inputs):
        return inputs * ops.sigmoid(inputs)


@register
class MeanOverTime(keras.layers.Layer):
    """Takes the mask and does not use it: padding counts in the mean. Source: keras-team/keras 8973 (a layer that uses a mask
    must take it in `call`), 18416."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        return ops.mean(inputs, axis=1)

    def compute_mask(self, inputs, mask=None):
        return None


@register
class HalfRate(keras.layers.Layer):
    """Drops every other step and passes on the mask of all steps. Source: tensorflow/tensorflow 32322, keras-team/keras
    4522."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs):
        return inputs[:, ::2]


@register
class MaskedSoftmax(keras.layers.Layer):
    """Adds -1e9 where masked: infinite in float16, NaN where a whole row is masked. Source: keras-team/keras 17571,
    google/flax 982."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if mask is not None:
            inputs = inputs + ops.cast(ops.logical_not(mask), inputs.dtype) * ops.cast(-1e9, inputs.dtype)
        return ops.softmax(inputs, axis=-1)


_MASKED = {"inputs": "float32[4,6,3]", "mask": "bool[4,6]"}

BROKEN = [
    Broken(Swish, check="Y108", like=_MASKED),
    Broken(MeanOverTime, check="Y108", like=_MASKED),
    Broken(HalfRate, check="Y108", like=_MASKED),
    Broken(MaskedSoftmax, check="Y110", like={"inputs": "float32[4,6]", "mask": "bool[4,6]"}),
]
