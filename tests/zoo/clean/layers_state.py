"""Right layers with state, and with batches that are one on purpose."""

import keras
from keras import ops

from tests.zoo.entries import Right

register = keras.saving.register_keras_serializable(package="zoo")


@register
class RunningCentre(keras.layers.Layer):
    """Subtracts a running mean that moves in training only; what comes out never depends on the batch."""

    def __init__(self, momentum=0.9, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum

    def build(self, input_shape):
        self.mean = self.add_weight(
            shape=(input_shape[-1],), initializer="zeros", trainable=False, autocast=False, name="mean"
        )

    def call(self, inputs, training=False):
        outputs = inputs - ops.cast(self.mean, inputs.dtype)
        if training and self.trainable:
            batch = ops.mean(ops.cast(inputs, self.mean.dtype), axis=0)
            self.mean.assign(self.momentum * self.mean + (1.0 - self.momentum) * batch)
        return outputs

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


@register
class BatchStandardise(keras.layers.Layer):
    """Batch normalisation: in training each sample depends on the others, on purpose."""

    def __init__(self, momentum=0.9, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.momentum, self.epsilon = momentum, epsilon

    def build(self, input_shape):
        options = {"shape": (input_shape[-1],), "trainable": False, "autocast": False}
        self.mean = self.add_weight(initializer="zeros", name="mean", **options)
        self.variance = self.add_weight(initializer="ones", name="variance", **options)

    def call(self, inputs, training=False):
        values = ops.cast(inputs, self.mean.dtype)
        mean, variance = self.mean.value, self.variance.value
        if training and self.trainable:
            mean, variance = ops.mean(values, axis=0), ops.var(values, axis=0)
            self.mean.assign(self.momentum * self.mean + (1.0 - self.momentum) * mean)
            self.variance.assign(self.momentum * self.variance + (1.0 - self.momentum) * variance)
        return ops.cast((values - mean) / ops.sqrt(variance + self.epsilon), inputs.dtype)

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum, "epsilon": self.epsilon}


@register
class CountedScale(keras.layers.Layer):
    """Counts its training steps in an integer variable: the right form of a counter."""

    def __init__(self, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate

    def build(self, input_shape):
        self.steps = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="steps")

    def call(self, inputs, training=False):
        if not training:
            return inputs
        self.steps.assign_add(1)
        return inputs / (1.0 + self.rate * ops.cast(self.steps, inputs.dtype))

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


@register
class PairwiseCosine(keras.layers.Layer):
    """Compares each sample with each other: the result is (batch, batch)."""

    def call(self, inputs):
        values = ops.cast(inputs, "float32")
        units = values / ops.sqrt(ops.sum(ops.square(values), axis=-1, keepdims=True) + 1e-6)
        return ops.cast(ops.matmul(units, ops.transpose(units)), inputs.dtype)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[0])


@register
class FrozenProjection(keras.layers.Layer):
    """A random projection that is never trained, but saved: a weight that is not trainable."""

    def __init__(self, units=4, seed=7, **kwargs):
        super().__init__(**kwargs)
        self.units, self.seed = units, seed

    def build(self, input_shape):
        self.projection = self.add_weight(
            shape=(input_shape[-1], self.units),
            initializer=keras.initializers.RandomNormal(seed=self.seed),
            trainable=False,
            name="projection",
        )

    def call(self, inputs):
        return ops.matmul(inputs, self.projection)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "seed": self.seed}


@register
class PenalisedIdentity(keras.layers.Layer):
    """Changes nothing and adds a penalty to the loss of the model."""

    def __init__(self, weight=0.01, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight

    def call(self, inputs):
        self.add_loss(self.weight * ops.mean(ops.square(inputs)))
        return inputs

    def get_config(self):
        return {**super().get_config(), "weight": self.weight}


_VECTORS = {"inputs": "float32[4,8]"}

RIGHT = [
    Right(RunningCentre, like=_VECTORS, note="state moves in training only"),
    Right(BatchStandardise, like=_VECTORS, contract={"independent": False}, note="depends on the batch in training"),
    Right(CountedScale, like=_VECTORS, note="two training calls differ: the counter is state"),
    Right(PairwiseCosine, like=_VECTORS, contract={"independent": False}, note="output is (batch, batch)"),
    Right(FrozenProjection, like=_VECTORS, note="a weight without gradient, on purpose"),
    Right(PenalisedIdentity, like=_VECTORS, note="returns its input itself"),
]
