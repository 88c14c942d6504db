"""Small models and functions such as users write, of every kind that Keras knows."""

import keras
import numpy as np
from keras import layers, ops

import kerasmith
from kerasmith import Tap

COUNT = 20
RNG = np.random.default_rng(3)
X = RNG.normal(size=(COUNT, 3)).astype("float32")
Y = (X.sum(1, keepdims=True) > 0).astype("float32")


@keras.saving.register_keras_serializable("tests.objectives")
def shrink(y_pred):
    return ops.mean(ops.square(y_pred), axis=-1)


@keras.saving.register_keras_serializable("tests.objectives")
def active(features):
    return ops.mean(ops.abs(features["hidden"]), axis=-1)


def functional(kind=kerasmith.Model, name=None):
    inputs = keras.Input((3,))
    hidden = Tap("hidden")(layers.Dense(4, activation="tanh")(inputs))
    return kind(inputs, layers.Dense(1)(hidden), name=name)


@keras.saving.register_keras_serializable("tests.objectives")
class LayersInInit(kerasmith.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first, self.tap, self.last = layers.Dense(4, activation="tanh"), Tap("hidden"), layers.Dense(1)

    def call(self, inputs):
        return self.last(self.tap(self.first(inputs)))


@keras.saving.register_keras_serializable("tests.objectives")
class LayersInBuild(kerasmith.Model):
    def build(self, shape):
        self.first, self.tap, self.last = layers.Dense(4, activation="tanh"), Tap("hidden"), layers.Dense(1)
        self.first.build(shape)
        self.last.build((None, 4))
        self.built = True

    def call(self, inputs):
        return self.last(self.tap(self.first(inputs)))


@keras.saving.register_keras_serializable("tests.objectives")
class PlainKeras(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first, self.tap, self.last = layers.Dense(4, activation="tanh"), Tap("hidden"), layers.Dense(1)

    def call(self, inputs):
        return self.last(self.tap(self.first(inputs)))


def graph_subclass():
    """A fresh subclass that calls `super().__init__(inputs, outputs)`, as many Keras users write."""

    class OfWidth(kerasmith.Model):
        def __init__(self, width, name=None):
            inputs = keras.Input((3,))
            hidden = Tap("hidden")(layers.Dense(width, activation="tanh")(inputs))
            super().__init__(inputs, layers.Dense(1)(hidden), name=name)
            self.width = width

    return OfWidth


def sequential(built):
    return keras.Sequential([*([keras.Input((3,))] if built else []), layers.Dense(4), Tap("hidden"), layers.Dense(1)])


def nested():
    inner = keras.Input((3,))
    body = keras.Model(inner, Tap("hidden")(layers.Dense(4, activation="tanh")(inner)), name="body")
    inputs = keras.Input((3,))
    return kerasmith.Model(inputs, layers.Dense(1)(body(inputs)))


def fit(model, x=X, y=Y, **keywords):
    """The history of a short fit, {column: [values]}."""
    return model.fit(x, y, **{"batch_size": 8, "epochs": 1, "shuffle": False, "verbose": 0, **keywords}).history


def scores(model, x=X, y=Y):
    return model.evaluate(x, y, batch_size=8, return_dict=True, verbose=0)


def array(tensor):
    return np.array(ops.convert_to_numpy(tensor))
