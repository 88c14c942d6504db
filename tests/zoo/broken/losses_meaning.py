"""Losses that look at other samples, at the wrong argument, or in the wrong direction."""

import keras
from keras import ops

from tests.zoo.entries import Broken

serializable = keras.saving.register_keras_serializable(package="zoo.broken.losses_meaning")

BINARY_MASKS = {"y_true": "float32[4,8,8,1]{0,1}", "y_pred": "float32[4,8,8,1](0,1)"}
BINARY = {"y_true": "float32[4,1]{0,1}", "y_pred": "float32[4,1](0,1)"}
REGRESSION = {"y_true": "float32[4,3](-2,2)", "y_pred": "float32[4,3](-2,2)"}


@serializable
class BatchScaledError(keras.losses.Loss):
    """Divides by the spread of the labels of the batch (R2): each value depends on the others; tensorflow#85174."""

    def call(self, y_true, y_pred):
        spread = ops.mean(ops.square(y_true - ops.mean(y_true, axis=0, keepdims=True)))
        return ops.mean(ops.square(y_true - y_pred), axis=-1) / (spread + 0.1)


@serializable
class SoftmaxOverBatch(keras.losses.Loss):
    """softmax over axis 0 instead of the classes; keras#9307 asks which axis is the batch."""

    def call(self, y_true, y_pred):
        return ops.sum(ops.square(y_true - ops.softmax(y_pred, axis=0)), axis=-1)


@serializable
class FixedBatchMAE(keras.losses.Loss):
    """Scales to a batch size given once: the last, smaller batch counts less; keras#16285."""

    def __init__(self, batch_size=4, **kwargs):
        super().__init__(**kwargs)
        self.batch_size = batch_size

    def call(self, y_true, y_pred):
        values = ops.mean(ops.abs(y_true - y_pred), axis=-1)
        return values * ops.cast(ops.shape(values)[0], self.dtype) / self.batch_size

    def get_config(self):
        return {**super().get_config(), "batch_size": self.batch_size}


@serializable
def relative_error(y_pred, y_true):
    """The order of PyTorch: Keras passes labels first; page "Keras Custom Loss Function as True Negatives"."""
    return ops.mean(ops.abs(y_true - y_pred) / (ops.abs(y_true) + 0.1), axis=-1)


@serializable
class SwappedEntropy(keras.losses.Loss):
    """Prediction and label in the order of Keras 1, as in keras#3155: swapped since Keras 2."""

    def call(self, y_true, y_pred):
        return keras.losses.binary_crossentropy(y_pred, y_true)


@serializable
class DiceOnSigmoidModel(keras.losses.Loss):
    """A sigmoid on top of probabilities: a perfect prediction scores .3 to .99; asked for: "Dice loss", yolov4-tflite#157."""

    def call(self, y_true, y_pred):
        y_pred = ops.sigmoid(y_pred)
        together = ops.sum(y_true * y_pred, axis=(1, 2, 3))
        return 1 - (2 * together + 1) / (ops.sum(y_true, axis=(1, 2, 3)) + ops.sum(y_pred, axis=(1, 2, 3)) + 1)


@serializable
def similarity_as_loss(y_true, y_pred):
    """Returns the overlap itself, so training removes it; jakeret/tf_unet#20 ("some codes just use the sum")."""
    together = ops.sum(y_true * y_pred, axis=(1, 2, 3))
    return (2 * together + 1) / (ops.sum(y_true, axis=(1, 2, 3)) + ops.sum(y_pred, axis=(1, 2, 3)) + 1)


@serializable
class DividedByReplicas(keras.losses.Loss):
    """Divides by the replicas, which Keras does as well: half the gradient on two; google/edward2#428, keras#16285."""

    def call(self, y_true, y_pred):
        import tensorflow as tf

        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        return ops.mean(ops.square(y_true - y_pred), axis=-1) / replicas


@serializable
def entropy_with_a_typo(y_true, y_pred):
    """`y_pred` typed for `y_true`: the labels play no part; no thread, common slip."""
    p = ops.clip(y_pred, 1e-2, 1 - 1e-2)
    return -ops.mean(p * ops.log(p) + (1 - p) * ops.log(1 - p), axis=-1)


@serializable
def hidden_activity(y_true, y_pred):
    """The prediction plays no part, so nothing trains; page thinbug 51257037 (why must it, in Chinese)."""
    return ops.mean(ops.square(y_true), axis=-1)


BROKEN = [
    Broken(BatchScaledError, "L119", REGRESSION),
    Broken(SoftmaxOverBatch, "L119", {"y_true": "float32[4,5]onehot", "y_pred": "float32[4,5](-3,3)"}),
    Broken(FixedBatchMAE, "L120", REGRESSION, {"batch_size": 4}),
    Broken(relative_error, "L121", REGRESSION),
    Broken(SwappedEntropy, "L121", BINARY),
    Broken(DiceOnSigmoidModel, "L122", BINARY_MASKS),
    Broken(similarity_as_loss, "L123", BINARY_MASKS),
    Broken(DividedByReplicas, "L124", REGRESSION, backends=("tensorflow",)),
    Broken(entropy_with_a_typo, "L129", BINARY),
    Broken(hidden_activity, "L129", REGRESSION),
]
