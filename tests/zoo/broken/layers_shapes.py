"""Layers that are right for one shape only, or mix the samples of a batch."""

import keras
from keras import ops

from tests.zoo.entries import Broken

register = keras.saving.register_keras_serializable(package="zoo")


@register
class FixedBatch(keras.layers.Layer):
    """Reshapes to a fixed batch size: the last, smaller batch fails. Source: keras-team/keras 12338, 8627."""

    def __init__(self, batch_size=4, **kwargs):
        super().__init__(**kwargs)
        self.batch_size = batch_size

    def call(self, inputs):
        return ops.reshape(inputs, (self.batch_size, inputs.shape[1] * inputs.shape[2]))

    def get_config(self):
        return {**super().get_config(), "batch_size": self.batch_size}


@register
class AppendZeros(keras.layers.Layer):
    """Uses `inputs.shape[0]`, which is None in a model. Source: keras-team/keras 4671, 19732."""

    def call(self, inputs):
        zeros = ops.zeros((inputs.shape[0], 1), dtype=inputs.dtype)
        return ops.concatenate([inputs, zeros], axis=-1)


@register
class BatchSoftmax(keras.layers.Layer):
    """Softmax over axis 0: the weights of a sample depend on the others. Source:
    google-research-datasets/answer-equivalence-dataset 1, PetrochukM/PyTorch-NLP 2."""

    def build(self, input_shape):
        self.query = self.add_weight(shape=(input_shape[-1], 1), initializer="glorot_uniform", name="query")

    def call(self, inputs):
        weights = ops.softmax(ops.matmul(inputs, self.query), axis=0)
        return ops.sum(weights * inputs, axis=1)


@register
class BatchMinMax(keras.layers.Layer):
    """Scales by the largest value of the whole batch: what a sample becomes depends on the others. Source:
    ssw-nlp-study-group/nlp_study 2 (the wrong axis)."""

    def call(self, inputs):
        low, high = ops.min(inputs), ops.max(inputs)
        return (inputs - low) / (high - low + 1e-6)


@register
class EveryOther(keras.layers.Layer):
    """`compute_output_shape` returns the input shape, but half of the steps are gone. Source: tensorflow/tensorflow 19961,
    keras-team/keras 11753."""

    def call(self, inputs):
        return inputs[:, ::2]

    def compute_output_shape(self, input_shape):
        return input_shape


@register
class SumOverLength(keras.layers.Layer):
    """Keeps the length that it was built with: another length gives a wrong mean. Source: tensorflow/tensorflow 19961 (a shape
    kept from the constructor); no thread for this one."""

    def build(self, input_shape):
        self.length = input_shape[1]

    def call(self, inputs):
        return ops.sum(inputs, axis=1) / self.length


@register
class LoopOverTime(keras.layers.Layer):
    """A Python loop over the time axis that is quadratic: graph and time grow with the length. Source:
    keras-team/keras 1979 (vectorised code, not a loop)."""

    def call(self, inputs):
        steps = inputs.shape[1]
        rows = [sum(inputs[:, j] for j in range(i + 1)) for i in range(steps)]
        return ops.stack(rows, axis=1)


_VECTORS = {"inputs": "float32[4,8]"}
_SEQUENCES = {"inputs": "float32[4,6,3]"}

BROKEN = [
    Broken(FixedBatch, check="Y103", like=_SEQUENCES),
    Broken(
        AppendZeros, check="Y111", like=_VECTORS, backends=("tensorflow",), note="JAX and torch trace with a made-up batch"
    ),
    Broken(BatchSoftmax, check="Y106", like=_SEQUENCES),
    Broken(BatchMinMax, check="Y106", like=_VECTORS),
    Broken(EveryOther, check="Y107", like=_SEQUENCES),
    Broken(SumOverLength, check="Y119", like=_SEQUENCES, note="call again with another length"),
    Broken(LoopOverTime, check="Y126", like=_SEQUENCES, note="grows_with_loop, L126 for layers"),
]
