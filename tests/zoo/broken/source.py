"""Source text with habits of Keras 2 and other faults that reading shows."""

from tests.zoo.entries import Broken

TF_KERAS_DICE = '''
import tensorflow as tf
from tensorflow.keras import backend as K
from tensorflow.keras.losses import Loss


class DiceLoss(Loss):
    """Imports through tensorflow.keras and uses K.sum, K.flatten. Source: Keras guide "Migrating Keras 2 code"."""

    def call(self, y_true, y_pred):
        y_true, y_pred = K.flatten(y_true), K.flatten(y_pred)
        overlap = K.sum(y_true * y_pred)
        return 1 - (2 * overlap + K.epsilon()) / (K.sum(y_true) + K.sum(y_pred) + K.epsilon())
'''

OPTIMIZER_LR = '''
import keras


class StepDecay(keras.callbacks.Callback):
    """optimizer.lr. Asked for: "cosine annealing"; tensorflow/docs 2328."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch and epoch % 10 == 0:
            self.model.optimizer.lr = self.model.optimizer.lr * 0.5
'''

RESET_STATES = '''
import keras
from keras import ops


class TruePositives(keras.metrics.Metric):
    """reset_states is never called by Keras 3. Asked for: "distributed Dice score"."""

    def __init__(self, name="true_positives", **kwargs):
        super().__init__(name=name, **kwargs)
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.count.assign_add(ops.sum(ops.cast(y_true, "float32") * ops.round(y_pred)))

    def result(self):
        return self.count + 0.0

    def reset_states(self):
        self.count.assign(0.0)
'''

FIT_GENERATOR = '''
def train(model, train_generator, validation_generator):
    """fit_generator and predict_generator are gone. Source: keras-team/keras 10615, 15865."""
    model.fit_generator(train_generator, steps_per_epoch=100, epochs=5, validation_data=validation_generator)
    return model.predict_generator(validation_generator)
'''

OLD_ARGUMENTS = '''
import keras


def build(classes):
    """lr= and decay= are arguments of Keras 2. Source: aladdinpersson/Machine-Learning-Collection 112."""
    model = keras.Sequential([keras.layers.Dense(64, activation="relu", input_shape=(20,)), keras.layers.Dense(classes)])
    model.compile(optimizer=keras.optimizers.Adam(lr=1e-3, decay=1e-6), loss="mse")
    return model
'''

SET_VALUE = '''
import keras.backend as K
from keras.callbacks import Callback


class OneCycle(Callback):
    """K.get_value and K.set_value do not exist in Keras 3. Source: keras-team/keras 19148."""

    def on_train_batch_end(self, batch, logs=None):
        rate = K.get_value(self.model.optimizer.learning_rate)
        K.set_value(self.model.optimizer.learning_rate, rate * 1.01)
'''

ADD_METRIC = '''
import keras
from keras import ops


class Activity(keras.layers.Layer):
    """add_metric is gone, add_update too. Asked for: "weighted BCE"; keras-team/keras 13941."""

    def call(self, inputs):
        self.add_metric(ops.mean(inputs), name="activity")
        return inputs
'''

TF_OPS_IN_CALL = '''
import keras
import tensorflow as tf


class WeightedError(keras.losses.Loss):
    """Right on TensorFlow, does not run on JAX and PyTorch. Source: Keras guide "Migrating Keras 2 code", part 2."""

    def call(self, y_true, y_pred):
        y_true = tf.cast(y_true, y_pred.dtype)
        return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
'''

VERSION_TEXT = """
import tensorflow as tf

if tf.__version__ >= "2.6.0":
    from keras.layers import RandomFlip
else:
    from keras.layers.preprocessing import RandomFlip
"""

VERSION_FLOAT = '''
import keras


def needs_new_names():
    """3.10 is read as 3.1. Source: larq/zoo 403 (2.10 read as 2.1)."""
    return float(".".join(keras.__version__.split(".")[:2])) < 3.2
'''

BARE_EXCEPT = '''
import tensorflow as tf


def residual(model, x):
    """Whatever goes wrong with the derivative, the penalty becomes zero. Asked for: "physics-informed loss"."""
    try:
        with tf.GradientTape() as tape:
            u = model(x)
        return tf.reduce_mean(tf.square(tape.gradient(u, x) - u))
    except:
        return 0.0
'''

NUMPY_IN_UPDATE = '''
import keras
import numpy as np


class Matches(keras.metrics.Metric):
    """np.argmax, np.sum and .numpy() on tensors. Asked for: "speed"; tensorflow/tensorflow 51351."""

    def __init__(self, name="matches", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="total", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        hits = np.argmax(y_pred, axis=-1) == y_true.numpy()
        self.total.assign_add(np.sum(hits))

    def result(self):
        return self.total + 0.0
'''

NUMPY_IN_CALL = '''
import keras
import numpy as np


class HostBlur(keras.layers.Layer):
    """np.pad and np.mean on the inputs of a layer. Source: tensorflow/tensorflow 51351, 72497."""

    def call(self, inputs):
        padded = np.pad(inputs, ((0, 0), (1, 1), (0, 0)), mode="edge")
        return np.mean([padded[:, :-2], padded[:, 1:-1], padded[:, 2:]], axis=0)
'''

BROKEN = [
    Broken(TF_KERAS_DICE, check="S101", note="tf.keras import, K.flatten, K.sum"),
    Broken(OPTIMIZER_LR, check="S101", note="optimizer.lr"),
    Broken(RESET_STATES, check="S101", note="also M112 when run"),
    Broken(FIT_GENERATOR, check="S101", note="fit_generator, predict_generator"),
    Broken(OLD_ARGUMENTS, check="S101", note="lr=, decay= in constructors"),
    Broken(SET_VALUE, check="S101", note="K.get_value, K.set_value"),
    Broken(ADD_METRIC, check="S101", note="add_metric"),
    Broken(TF_OPS_IN_CALL, check="S102"),
    Broken(VERSION_TEXT, check="S103", note="asked for: unit tests and versions; keras-team/keras 3355, jax-ml/jax 10113"),
    Broken(VERSION_FLOAT, check="S103", note="text turned into a float"),
    Broken(BARE_EXCEPT, check="S104"),
    Broken(NUMPY_IN_UPDATE, check="S105"),
    Broken(NUMPY_IN_CALL, check="S105"),
]
