"""Losses that do not come back from their configuration, and such as only their text gives away."""

import keras
from keras import ops

from tests.zoo.entries import Broken

serializable = keras.saving.register_keras_serializable(package="zoo.broken.losses_configuration")

REGRESSION = {"y_true": "float32[4,3](-2,2)", "y_pred": "float32[4,3](-2,2)"}
CLASSES = {"y_true": "float32[4,5]onehot", "y_pred": "float32[4,5]simplex"}


@serializable
class SwallowedArguments(keras.losses.Loss):
    """`**kwargs` are taken and dropped: a misspelt `dleta=` and `name=` vanish; no thread, common."""

    def __init__(self, delta=1.0, **kwargs):
        super().__init__()
        self.delta = delta

    def call(self, y_true, y_pred):
        return ops.mean(ops.minimum(ops.abs(y_true - y_pred), self.delta), axis=-1)

    def get_config(self):
        return {**super().get_config(), "delta": self.delta}


@serializable
class NoBaseArguments(keras.losses.Loss):
    """Takes neither `name` nor `reduction`, which `from_config` hands over: does not load; tensorflow/addons#809."""

    def __init__(self, factor=0.1):
        super().__init__()
        self.factor = factor

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred) + self.factor * ops.abs(y_pred), axis=-1)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


@serializable
class NoSuperInit(keras.losses.Loss):
    """`super().__init__()` is missing: no name, reduction or dtype; Keras checks this for metrics only."""

    def __init__(self, weight=2.0):
        self.weight = weight

    def call(self, y_true, y_pred):
        return self.weight * ops.mean(ops.square(y_true - y_pred), axis=-1)


@serializable
class ForgottenGamma(keras.losses.Loss):
    """`gamma` is not in the config: loads with the default; asked for: "Focal Tversky loss", keras PR 23286 (Huber's
    delta)."""

    def __init__(self, gamma=2.0, **kwargs):
        super().__init__(**kwargs)
        self.gamma = gamma

    def call(self, y_true, y_pred):
        return ops.mean(ops.power(ops.abs(y_true - y_pred) + 1e-3, self.gamma), axis=-1)


@serializable
class TensorInConfig(keras.losses.Loss):
    """The class weights are put in the config as a tensor, which JSON cannot hold; no thread, common."""

    def __init__(self, class_weights=(1.0, 1.0, 2.0, 2.0, 1.0), **kwargs):
        super().__init__(**kwargs)
        self.class_weights = ops.convert_to_tensor(class_weights, dtype="float32")

    def call(self, y_true, y_pred):
        return ops.sum(ops.cast(self.class_weights, y_pred.dtype) * ops.square(y_true - y_pred), axis=-1)

    def get_config(self):
        return {**super().get_config(), "class_weights": self.class_weights}


@serializable
class PopsItsConfig(keras.losses.Loss):
    """`from_config` takes an entry out of the caller's dict: the second load has the default; no thread, common."""

    def __init__(self, factor=0.1, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred) + self.factor * ops.abs(y_pred), axis=-1)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}

    @classmethod
    def from_config(cls, config):
        factor = config.pop("factor", 0.1)
        return cls(factor=factor, **config)


def center_pull(factor):
    def loss(y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred) + factor * ops.square(y_pred - 0.5), axis=-1)

    return loss


pulled_mse = center_pull(0.1)


pulled_mse.__doc__ = (
    "A closure: the factor is not saved, the name `loss` loads as any other; row MSE as closure (.278 -> 1.961)."
)


class NotRegistered(keras.losses.Loss):
    """Loads only with custom_objects; keras#3457, tensorflow#32612."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.abs(y_true - y_pred), axis=-1)


@serializable
class SharedWeights(keras.losses.Loss):
    """The weights live in a dict of the class: the second instance changes the first; no thread, constructed."""

    weights = {"error": 1.0, "size": 0.1}

    def __init__(self, size=0.1, **kwargs):
        super().__init__(**kwargs)
        self.weights["size"] = size

    def call(self, y_true, y_pred):
        return self.weights["error"] * ops.mean(ops.square(y_true - y_pred), axis=-1) + self.weights["size"] * ops.mean(
            ops.square(y_pred), axis=-1
        )

    def get_config(self):
        return {**super().get_config(), "size": self.weights["size"]}


@serializable
class TensorFlowOnly(keras.losses.Loss):
    """tf functions inside: one backend only; tensorflow#85174 is written so."""

    def call(self, y_true, y_pred):
        import tensorflow as tf

        return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


@serializable
class VersionAsText(keras.losses.Loss):
    """Compares versions as text ('3.15' < '3.9'); asked for: "unit tests of every part; version differences handled"."""

    def call(self, y_true, y_pred):
        error = y_true - y_pred
        if keras.__version__ >= "3.2":
            return ops.mean(ops.square(error), axis=-1)
        return ops.mean(error * error, axis=-1)


BROKEN = [
    Broken(SwallowedArguments, "X101", REGRESSION, {"delta": 0.5}),
    Broken(NoBaseArguments, "X102", REGRESSION, {"factor": 0.3}),
    Broken(NoSuperInit, "X103", REGRESSION),
    Broken(ForgottenGamma, "X104", REGRESSION, {"gamma": 3.0}),
    Broken(TensorInConfig, "X106", CLASSES),
    Broken(PopsItsConfig, "X107", REGRESSION, {"factor": 0.3}),
    Broken(pulled_mse, "X108", REGRESSION),
    Broken(NotRegistered, "X109", REGRESSION),
    Broken(SharedWeights, "X110", REGRESSION, {"size": 0.5}),
    Broken(TensorFlowOnly, "S102", REGRESSION, backends=("tensorflow",)),
    Broken(VersionAsText, "S103", REGRESSION),
]
