"""Weights that reach nothing, reach something else, or change the scale of the loss."""

import keras
import numpy as np
from keras import layers, ops

from tests.zoo.setups import data
from tests.zoo.setups.setup import Setup, faulty

THEME = "weights"


def detector(loss="binary_crossentropy"):
    """A classifier of a seldom class, compiled with the loss."""
    model = keras.Sequential([layers.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(1e-2), loss, weighted_metrics=[keras.metrics.AUC(name="auc")])
    return model


def balance(y):
    """Weights that make both classes count alike, of mean 1."""
    share = y.mean()
    return np.where(y > 0, 0.5 / share, 0.5 / (1 - share)).astype("float32")


@faulty(
    THEME,
    "keras-team/keras issue 1916, class_weight has no effect; here the loss is one number for the whole batch",
    {"whole": False},
)
def loss_of_the_whole_batch(whole=True):
    x, y = data.rare()

    def entropy(y_true, y_pred):
        each = ops.binary_crossentropy(ops.cast(y_true, y_pred.dtype), y_pred)
        return ops.mean(each) if whole else ops.mean(each, axis=-1)

    return Setup(detector(entropy), {"x": x, "y": y[:, None], "sample_weight": balance(y), "batch_size": 40})


class KeepsNoWeights(keras.losses.Loss):
    """Cross-entropy whose `__call__` forgets the weights."""

    def __init__(self, forgets):
        super().__init__()
        self.forgets = forgets

    def __call__(self, y_true, y_pred, sample_weight=None):
        return super().__call__(y_true, y_pred, None if self.forgets else sample_weight)

    def call(self, y_true, y_pred):
        return keras.losses.binary_crossentropy(y_true, y_pred)


@faulty(THEME, "tensorflow/tensorflow issue 28029, sample_weight ignored", {"forgets": False})
def loss_that_forgets_weights(forgets=True):
    x, y = data.rare()
    return Setup(detector(KeepsNoWeights(forgets)), {"x": x, "y": y[:, None], "class_weight": {0: 0.52, 1: 16.7}})


class OwnStep(keras.Model):
    """A model whose loss is computed without what came for the weights."""

    def __init__(self, reads_weights):
        super().__init__()
        self.hidden, self.out = layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid")
        self.reads_weights = reads_weights

    def call(self, x):
        return self.out(self.hidden(x))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        each = keras.losses.binary_crossentropy(y, y_pred)
        return ops.mean(each * sample_weight if self.reads_weights and sample_weight is not None else each)


@faulty(
    THEME,
    "tensorflow/tensorflow issue 43902 and Jannoshh/simple-sam issue 6, class_weight in a step of one's own",
    {"reads_weights": True},
)
def own_step_without_weights(reads_weights=False):
    x, y = data.rare()
    model = OwnStep(reads_weights)
    model.compile("adam")
    return Setup(model, {"x": x, "y": y[:, None].astype("float32"), "sample_weight": balance(y)})


@faulty(
    THEME,
    "keras-team/keras issues 8011 and 15984, class_weight {0: .1, 1: .9} for a vector of tags",
    {"weighted": False},
)
def class_weights_of_tags(weighted=True):
    x, y = data.tags()
    model = keras.Sequential([layers.Input((6,)), layers.Dense(16, activation="relu"), layers.Dense(3, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy")
    fit = {"x": x, "y": y, "class_weight": {0: 0.1, 1: 0.9, 2: 1.0}}
    return Setup(model, fit if weighted else {"x": x, "y": y})


@faulty(
    THEME,
    "keras-team/keras issue 14085, weights for the labels 1 and 2 where the data hold 0 and 1",
    {"first": 0},
)
def class_weights_of_absent_ids(first=1):
    x, y = data.rare()
    return Setup(detector(), {"x": x, "y": y[:, None], "class_weight": {first: 0.5, first + 1: 16.0}})


@faulty(
    THEME,
    "keras-team/keras issue 4735, class_weight and a regression: the target is rounded to an id",
    {"weighted": False},
    also=("runs",),
)
def class_weights_of_a_regression(weighted=True):
    x, y = data.counts()
    y = np.log1p(y).clip(0, 2.9)
    model = keras.Sequential([layers.Input((4,)), layers.Dense(16, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(1e-2), "mae")
    return Setup(model, {"x": x, "y": y} | ({"class_weight": {0: 5.0, 1: 1.0, 2: 1.0, 3: 2.0}} if weighted else {}))


@faulty(
    THEME,
    "EthanRosenthal/spacecutter issue 16 and keras-team/keras issue 19740, weights that are not normalised",
    {"factor": 1.0},
)
def weights_of_mean_five_hundred(factor=500.0):
    x, y = data.rare()
    return Setup(detector(), {"x": x, "y": y[:, None], "sample_weight": balance(y) * factor, "batch_size": 50})


@faulty(
    THEME,
    "Humbatova et al. 2020, taxonomy of real faults, training data: weights that became integers and 0",
    {"dtype": "float32"},
    severity="error",
)
def weights_rounded_to_zero(dtype="int32"):
    x, y = data.diabetes()
    weight = (0.5 + 0.4 * np.sin(np.arange(len(y)))).astype(dtype)
    model = keras.Sequential([layers.Input((10,)), layers.Dense(16, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    return Setup(model, {"x": x, "y": y[:, None], "sample_weight": weight, "batch_size": 24})


@faulty(
    THEME,
    "keras-team/keras issues 389 and 13994, weights (16,) beside a loss (16, 16, 16): columns are weighted, not images",
    {"axes": True},
    also=("runs",),
)
def weights_along_the_width(axes=False):
    x, y = data.disks()
    weight = np.where(np.arange(64) % 4 == 0, 3.0, 1 / 3).astype("float32")
    model = keras.Sequential([layers.Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    model.add(layers.Conv2D(1, 1, activation="sigmoid"))
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy")
    weight = weight[:, None, None] * np.ones((64, 16, 16), "float32") if axes else weight
    return Setup(model, {"x": x, "y": y, "sample_weight": weight, "batch_size": 16})
