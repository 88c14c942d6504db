"""Losses of strangers' code that look odd and are right, undeclared: what is plausible by design is asked, not blamed."""

import keras
import numpy as np
from keras import ops

from tests.zoo.entries import Right

serializable = keras.saving.register_keras_serializable(package="right_strangers_losses")


@serializable
class BatchTriplet(keras.losses.Loss):
    """Semi-hard triplets: a sample is compared with those of its batch that have another id."""

    def __init__(self, margin=1.0, name="batch_triplet", **kwargs):
        super().__init__(name=name, **kwargs)
        self.margin = margin

    def call(self, y_true, y_pred):
        ids = ops.reshape(y_true, (-1,))
        distance = ops.sum(ops.square(y_pred[:, None] - y_pred[None]), axis=-1)
        same = ops.cast(ids[:, None] == ids[None], y_pred.dtype)
        near = ops.min(distance + 1e3 * same, axis=1)
        far = ops.max(distance * same, axis=1)
        return ops.relu(far - near + self.margin)

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}


@serializable
class InfoNCE(keras.losses.Loss):
    """Row i of the labels belongs to row i of the predictions, all other rows are its negatives (CLIP)."""

    def __init__(self, temperature=0.1, name="info_nce", **kwargs):
        super().__init__(name=name, **kwargs)
        self.temperature = temperature

    def call(self, y_true, y_pred):
        a, b = ops.normalize(ops.cast(y_true, y_pred.dtype), axis=-1), ops.normalize(y_pred, axis=-1)
        logits = ops.matmul(b, ops.transpose(a)) / self.temperature
        return -ops.diagonal(ops.log_softmax(logits, axis=-1))

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}


@serializable
class GaussianNLL(keras.losses.Loss):
    """Mean and log variance in one output; the value is negative where the spread is small."""

    def call(self, y_true, y_pred):
        mean, log_variance = y_pred[..., :1], ops.clip(y_pred[..., 1:], -10.0, 10.0)
        return ops.mean(0.5 * (log_variance + ops.square(y_true - mean) * ops.exp(-log_variance)), axis=-1)


@serializable
def critic(y_true, y_pred):
    """Wasserstein: labels of -1 and 1, a value of either sign."""
    return ops.mean(y_true * y_pred, axis=-1)


@serializable
def already_a_loss(y_true, y_pred):
    """The model computes its loss itself and hands it out; the labels are a dummy (keras-yolo, VAE, CTC models)."""
    return y_pred


@serializable
class ClassCosts(keras.losses.Loss):
    """The labels are ids that pick a row of a table of costs."""

    def __init__(self, costs=((0.0, 1.0, 4.0), (2.0, 0.0, 1.0), (5.0, 1.0, 0.0)), name="class_costs", **kwargs):
        super().__init__(name=name, **kwargs)
        self.costs = [list(row) for row in costs]

    def call(self, y_true, y_pred):
        row = ops.take(ops.convert_to_tensor(self.costs, y_pred.dtype), ops.cast(ops.reshape(y_true, (-1,)), "int32"), axis=0)
        return ops.sum(row * y_pred, axis=-1)

    def get_config(self):
        return {**super().get_config(), "costs": [list(row) for row in self.costs]}


@serializable
class CosineOfTokens(keras.losses.Loss):
    """A similarity with the sign turned: -1 is best."""

    def call(self, y_true, y_pred):
        return -ops.mean(ops.sum(ops.normalize(y_true, axis=-1) * ops.normalize(y_pred, axis=-1), axis=-1), axis=-1)


@serializable
class Quantiles(keras.losses.Loss):
    """One label, an output for each quantile: broadcasting inside a sample is meant."""

    def __init__(self, quantiles=(0.1, 0.5, 0.9), name="quantiles", **kwargs):
        super().__init__(name=name, **kwargs)
        self.quantiles = list(quantiles)

    def call(self, y_true, y_pred):
        q = ops.convert_to_tensor(np.asarray(self.quantiles, "float32"), dtype=y_pred.dtype)
        error = ops.cast(y_true, y_pred.dtype) - y_pred
        return ops.mean(ops.maximum(q * error, (q - 1.0) * error), axis=-1)

    def get_config(self):
        return {**super().get_config(), "quantiles": list(self.quantiles)}


RIGHT = [
    Right(BatchTriplet, {"y_true": "int32[8]{0,2}", "y_pred": "float32[8,4](-1,1)"}, note="samples compared, undeclared"),
    Right(InfoNCE, {"y_true": "float32[8,4](-1,1)", "y_pred": "float32[8,4](-1,1)"}, note="rows are negatives, undeclared"),
    Right(GaussianNLL, {"y_true": "float32[8,1](-2,2)", "y_pred": "float32[8,2](-2,2)"}, note="negative values"),
    Right(critic, {"y_true": "float32[8,1]{-1,1}", "y_pred": "float32[8,1](-2,2)"}, note="negative values"),
    Right(already_a_loss, {"y_true": "float32[8,1](0,1)", "y_pred": "float32[8,1](0,3)"}, note="no labels, undeclared"),
    Right(ClassCosts, {"y_true": "int32[8]{0,2}", "y_pred": "float32[8,3]simplex"}, note="labels are ids"),
    Right(CosineOfTokens, {"y_true": "float32[8,5,4](-1,1)", "y_pred": "float32[8,5,4](-1,1)"}, note="negative values"),
    Right(Quantiles, {"y_true": "float32[8,1](-2,2)", "y_pred": "float32[8,3](-2,2)"}, note="broadcast on purpose"),
]
