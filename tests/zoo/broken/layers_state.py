"""Layers whose weights or state are not where Keras looks."""

import keras
import numpy as np
from keras import ops

from tests.zoo.entries import Broken

register = keras.saving.register_keras_serializable(package="zoo")


@register
class DenseInCall(keras.layers.Layer):
    """Makes a new `Dense` in each call: new random weights each time, none of them tracked. Source:
    calmiLovesAI/Basic_CNNs_TensorFlow2 13, koshian2/OctConv-TFKeras 16."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def call(self, inputs):
        return keras.layers.Dense(self.units, activation="relu")(inputs)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@register
class WeightInCall(keras.layers.Layer):
    """`add_weight` in `call`: the layer counts as built by then, the first call raises. Source: tensorflow/tensorflow 27120,
    48878."""

    def call(self, inputs):
        scale = self.add_weight(shape=(inputs.shape[-1],), initializer="random_normal", name="scale")
        return inputs * scale


@register
class RandomProjection(keras.layers.Layer):
    """The projection is a plain array, not a weight: it is not saved, a loaded model projects otherwise. Source:
    tensorflow/tensorflow 38211."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.projection = np.random.default_rng().normal(size=(input_shape[-1], self.units)).astype("float32")

    def call(self, inputs):
        return ops.matmul(inputs, ops.cast(self.projection, inputs.dtype))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@register
class TensorScale(keras.layers.Layer):
    """The trainable scale is a tensor, not a weight: it never learns. Source: tensorflow/tensorflow 46325, keras-team/tf-keras
    513."""

    def build(self, input_shape):
        self.scale = ops.ones((input_shape[-1],))

    def call(self, inputs):
        return inputs * ops.cast(self.scale, inputs.dtype)


@register
class TrainableAverage(keras.layers.Layer):
    """The running average is a trainable weight: the optimizer moves it too. Source: voxelmorph/voxelmorph 214,
    secondmind-labs/GPflux 51."""

    def __init__(self, momentum=0.9, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum

    def build(self, input_shape):
        self.mean = self.add_weight(shape=(input_shape[-1],), initializer="zeros", autocast=False, name="mean")

    def call(self, inputs, training=False):
        if training:
            batch = ops.mean(ops.cast(ops.stop_gradient(inputs), self.mean.dtype), axis=0)
            self.mean.assign(self.momentum * self.mean + (1.0 - self.momentum) * batch)
        return inputs - ops.cast(self.mean, inputs.dtype)

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


class _Branch:
    """A plain object that holds a layer; Keras does not look inside."""

    def __init__(self, units):
        self.dense = keras.layers.Dense(units)

    def __call__(self, inputs):
        return self.dense(inputs)


@register
class TwoBranches(keras.layers.Layer):
    """The sublayers are in plain Python objects: their weights are neither trained nor saved. Source: keras-team/tf-keras 513,
    tensorflow/tensorflow 28748."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.left, self.right = _Branch(units), _Branch(units)

    def build(self, input_shape):
        self.left.dense.build(input_shape)
        self.right.dense.build(input_shape)

    def call(self, inputs):
        return self.left(inputs) * ops.sigmoid(self.right(inputs))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@register
class ResidualClosure(keras.layers.Layer):
    """The projection is inside a closure: untracked. Source: keras-team/keras-core 707 (`residual_projection` as a lambda)."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = keras.layers.Dense(units, activation="relu")

    def build(self, input_shape):
        self.dense.build(input_shape)
        shortcut = keras.layers.Dense(self.units, use_bias=False)
        shortcut.build(input_shape)
        self.shortcut = lambda x: shortcut(x)

    def call(self, inputs):
        return self.dense(inputs) + self.shortcut(inputs)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@register
class FixedFloat32(keras.layers.Layer):
    """The variable is float32 whatever the dtype policy says. Source: tensorflow/addons 2500, keras-team/keras 16907."""

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", dtype="float32", name="scale")

    def call(self, inputs):
        return inputs * ops.cast(self.scale, inputs.dtype)


@register
class AnnealedScale(keras.layers.Layer):
    """Counts its calls in a Python attribute: frozen at the first trace. Source: bayesflow-org/bayesflow 223."""

    def __init__(self, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.step = 0

    def call(self, inputs, training=False):
        if training:
            self.step += 1
            return inputs / (1.0 + self.rate * self.step)
        return inputs

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


@register
class FrozenButMoving(keras.layers.Layer):
    """Updates its running mean although `trainable` is False. Source: keras-team/keras 9965, zzh8829/yolov3-tf2 188."""

    def build(self, input_shape):
        self.mean = self.add_weight(
            shape=(input_shape[-1],), initializer="zeros", trainable=False, autocast=False, name="mean"
        )

    def call(self, inputs, training=False):
        if training:
            self.mean.assign(0.9 * self.mean + 0.1 * ops.mean(ops.cast(inputs, self.mean.dtype), axis=0))
        return inputs - ops.cast(self.mean, inputs.dtype)


@register
class LossInAttribute(keras.layers.Layer):
    """Keeps its penalty in an attribute instead of `add_loss`: it never reaches the training loss. Source:
    bayesflow-org/bayesflow 541 (losses of layers that are ignored without a word)."""

    def call(self, inputs):
        self.penalty = 0.01 * ops.mean(ops.square(inputs))
        return inputs


@register
class UnbuiltChildren(keras.layers.Layer):
    """`build` makes the children, but does not build them: a parent that only calls `build` finds no weights, and loading into
    it fails. Source: keras-team/keras 18875, 20004."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.first = keras.layers.Dense(self.units, activation="relu")
        self.second = keras.layers.Dense(self.units)

    def call(self, inputs):
        return self.second(self.first(inputs))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


_VECTORS = {"inputs": "float32[4,8]"}

BROKEN = [
    Broken(DenseInCall, check="Y101", like=_VECTORS),
    Broken(WeightInCall, check="Y101", like=_VECTORS),
    Broken(RandomProjection, check="Y102", like=_VECTORS),
    Broken(TensorScale, check="Y102", like=_VECTORS),
    Broken(TrainableAverage, check="Y116", like=_VECTORS),
    Broken(TwoBranches, check="Y118", like=_VECTORS),
    Broken(ResidualClosure, check="Y118", like=_VECTORS),
    Broken(FixedFloat32, check="Y115", like=_VECTORS),
    Broken(AnnealedScale, check="Y112", like=_VECTORS),
    Broken(FrozenButMoving, check="Y124", like=_VECTORS, note="frozen_state_moves"),
    Broken(LossInAttribute, check="Y125", like=_VECTORS, note="penalty_never_added"),
    Broken(UnbuiltChildren, check="Y128", like=_VECTORS, note="build_incomplete: build alone makes 0 of 4 weights"),
]
