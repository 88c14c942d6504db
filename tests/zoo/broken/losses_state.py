"""Losses that keep state, branch on tensors, are random, or differ when they are compiled."""

import keras
import numpy as np
from keras import ops

from tests.zoo.entries import Broken

serializable = keras.saving.register_keras_serializable(package="zoo.broken.losses_state")

BINARY_MASKS = {"y_true": "float32[4,8,8,1]{0,1}", "y_pred": "float32[4,8,8,1](0,1)"}
BINARY = {"y_true": "float32[4,1]{0,1}", "y_pred": "float32[4,1](0,1)"}
REGRESSION = {"y_true": "float32[4,3](-2,2)", "y_pred": "float32[4,3](-2,2)"}


@serializable
class EpochWeightedMAE(keras.losses.Loss):
    """A Python counter sets the weight of a term: frozen in the compiled step; keras#3155, ai2es/miles-guess PR 5."""

    def __init__(self, warmup=100, **kwargs):
        super().__init__(**kwargs)
        self.warmup = warmup
        self.step = 0

    def call(self, y_true, y_pred):
        self.step += 1
        smooth = min(1.0, self.step / self.warmup)
        return ops.mean(ops.abs(y_true - y_pred), axis=-1) + smooth * ops.mean(ops.square(y_pred), axis=-1)

    def get_config(self):
        return {**super().get_config(), "warmup": self.warmup}


@serializable
class GuessedLogits(keras.losses.Loss):
    """`if` on a tensor decides whether they are logits: no compiled step; tensorflow#11840, keras#6332."""

    def call(self, y_true, y_pred):
        if ops.max(y_pred) > 1.0:
            y_pred = ops.sigmoid(y_pred)
        return ops.mean(ops.square(y_true - y_pred), axis=-1)


@serializable
class EagerOnlyClip(keras.losses.Loss):
    """Another formula in eager mode ("for debugging"): the compiled value differs; no thread, constructed."""

    def call(self, y_true, y_pred):
        import tensorflow as tf

        error = ops.abs(y_true - y_pred)
        if tf.executing_eagerly():
            error = ops.minimum(error, 0.5)
        return ops.mean(error, axis=-1)


@serializable
def static_batch_reshape(y_true, y_pred):
    """Reshapes with `shape[0]`, which is None in the symbolic build and for a partial last batch; keras#19732, keras#15956."""
    flat_true = ops.reshape(y_true, [int(y_pred.shape[0]), -1])
    flat_pred = ops.reshape(y_pred, [int(y_pred.shape[0]), -1])
    return ops.mean(ops.square(flat_true - flat_pred), axis=-1)


@serializable
class NoisyLabels(keras.losses.Loss):
    """NumPy noise on the labels: new per eager call, constant when compiled; page "Keras loss function understanding"."""

    def call(self, y_true, y_pred):
        soft = y_true * np.random.uniform(0.7, 1.0)  # noqa: NPY002
        return ops.mean(ops.square(soft - y_pred), axis=-1)


@serializable
class InPlaceSmoothing(keras.losses.Loss):
    """`*=` and `+=` work in place on PyTorch: the caller's labels are smoothed again each step; no thread, constructed."""

    def call(self, y_true, y_pred):
        y_true *= 0.9
        y_true += 0.05
        return ops.mean(ops.square(y_true - y_pred), axis=-1)


@serializable
class LearnedWeights(keras.losses.Loss):
    """Learned uncertainty weights in a Loss: Keras never trains them; asked for: "multi-task loss"."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.log_variance = keras.Variable(0.0, name="log_variance")

    def call(self, y_true, y_pred):
        log_variance = ops.cast(self.log_variance, y_pred.dtype)
        return ops.mean(ops.square(y_true - y_pred), axis=-1) * ops.exp(-log_variance) + log_variance


@serializable
class RunningScale(keras.losses.Loss):
    """A running scale in a Variable of the Loss: the step on JAX drops the update; keras#19402 (untracked state)."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scale = keras.Variable(1.0, trainable=False, name="scale")

    def call(self, y_true, y_pred):
        error = ops.mean(ops.abs(y_true - y_pred), axis=-1)
        fresh = ops.stop_gradient(ops.cast(ops.mean(error), "float32"))
        self.scale.assign(0.9 * self.scale + 0.1 * fresh)
        return error / (ops.cast(self.scale, error.dtype) + 1e-3)


@serializable
class LoopedTriplet(keras.losses.Loss):
    """A Python loop over the samples: the graph grows with the batch; keras#10605."""

    def call(self, y_true, y_pred):
        values = []
        for i in range(y_pred.shape[0]):
            anchor, positive, negative = y_pred[i, 0], y_pred[i, 1], y_pred[i, 2]
            gap = ops.sum(ops.square(anchor - positive)) - ops.sum(ops.square(anchor - negative))
            values.append(ops.maximum(gap + ops.sum(y_true[i]), 0.0))
        return ops.stack(values)


@serializable
def spread_of_errors(y_true, y_pred):
    """`.var` of the tensor divides by n - 1 in PyTorch and by n in JAX; documented default of torch.var."""
    error = ops.convert_to_tensor(y_pred) - y_true
    return error.var(axis=-1) + ops.mean(ops.square(error), axis=-1)


BROKEN = [
    Broken(EpochWeightedMAE, "L115", REGRESSION, {"warmup": 10}),
    Broken(GuessedLogits, "L116", BINARY, backends=("tensorflow", "jax")),
    Broken(EagerOnlyClip, "L117", REGRESSION, backends=("tensorflow",)),
    Broken(static_batch_reshape, "L118", BINARY_MASKS, backends=("tensorflow",)),
    Broken(NoisyLabels, "L127", BINARY),
    Broken(InPlaceSmoothing, "L128", BINARY, backends=("torch",)),
    Broken(LearnedWeights, "L130", REGRESSION),
    Broken(
        RunningScale,
        "L130",
        REGRESSION,
        contract={"stateful": True, "independent": False},
        backends=("jax",),
        note="right on TensorFlow and PyTorch",
    ),
    Broken(
        LoopedTriplet,
        "L126",
        {"y_true": "float32[4,1](0,1)", "y_pred": "float32[4,3,8](-1,1)"},
        backends=("jax", "torch"),
        note="on TensorFlow the batch size is None and L118 finds it first",
    ),
    Broken(spread_of_errors, "L125", REGRESSION, backends=("jax", "torch")),
]
