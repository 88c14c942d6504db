"""Source text that only looks like the faults that reading shows."""

from tests.zoo.entries import Right

RIGHT_NUMPY_CONSTANTS = '''
import keras
import numpy as np
from keras import ops


class Sobel(keras.layers.Layer):
    """NumPy on constants and on static shapes is right."""

    def build(self, input_shape):
        self.kernel = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]], dtype="float32")[..., None, None]

    def call(self, inputs):
        pixels = int(np.prod(inputs.shape[1:3]))
        kernel = ops.convert_to_tensor(self.kernel, dtype=inputs.dtype)
        return ops.conv(inputs, kernel, padding="same") / np.sqrt(pixels)
'''

RIGHT_VERSIONS = """
from importlib.metadata import version

import keras
from packaging.version import Version

NEW = Version(keras.__version__) >= Version("3.12.0")
MAJOR = int(keras.__version__.split(".")[0]) >= 3
EXACT = version("keras") == "3.15.1"
CODE_NAME = "2.9" < "3"
"""

RIGHT_OWN_NAMES = '''
class Schedule:
    """Has an attribute lr and a method reset_states of its own; no Keras object in sight."""

    def __init__(self, lr=0.1):
        self.lr = lr

    def reset_states(self):
        self.lr = 0.1


def mean(K):
    return K.mean(axis=0)
'''

RIGHT_TF_DATA = '''
import keras
import tensorflow as tf


def pipeline(x, y, batch_size=32):
    """TensorFlow outside of call and update_state: a data pipeline for every backend."""
    return tf.data.Dataset.from_tensor_slices((x, y)).map(lambda a, b: (tf.cast(a, "float32"), b)).batch(batch_size)


def lr_of(model):
    """`learning_rate`, and `lr` as a name of one's own."""
    lr = float(model.optimizer.learning_rate)
    return lr
'''

RIGHT_EXCEPT = """
try:
    import tensorboard
except ImportError:
    tensorboard = None


def summary(model, x):
    try:
        return model.get_layer("head").get_weights()
    except ValueError:
        return None
"""

RIGHT = [
    Right(RIGHT_NUMPY_CONSTANTS, note="np.* on constants and static shapes in build and call"),
    Right(RIGHT_VERSIONS, note="Version(...), int(...), equality, and two plain texts"),
    Right(RIGHT_OWN_NAMES, note="old names on objects that are not Keras'"),
    Right(RIGHT_TF_DATA, note="tf.* outside of call"),
    Right(RIGHT_EXCEPT, note="except with a name, no derivative inside"),
]
